"""The pages of a run: report.html with everything on it, clips.html, and landing.html, which carries both."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from video3d.report import chart_style, charts, class_details, confusion_chart, contact_sheets, html_page
from video3d.report.clip_sprites import ClipName, Sprite, draw_sprites
from video3d.report.conclusions import draw_conclusions
from video3d.report.content import Content
from video3d.report.headline import answer_sentence, score_columns
from video3d.report.provenance import describe_protocols, describe_run, network_name
from video3d.report.tables import audit_sentence

SECTIONS = {
    "accuracy-section": "How good is it?",
    "evidence": "Why should I believe it?",
    "failures": "Where does it fail?",
    "classes": "Every class by itself",
    "cost-section": "What did it cost?",
    "comparison": "Other runs",
    "provenance": "Provenance",
}
# Characters of the clips on the pages: with all else, the report stays below 15 MB with 101 classes.
CLIPS_IN_REPORT, CLIPS_ON_THEIR_PAGE = 4_500_000, 2_000_000


def write_pages(
    content: Content, reader: contact_sheets.FrameReader, drawings: Mapping[str, str], captions: dict, folder: Path
) -> None:
    """Write the three pages into `folder`.

    Args:
        content: what they show.
        reader: where the frames of clips are read; without its packs the pages say that there are no pictures.
        drawings: the charts as SVG, by name.
        captions: HTML by the name of the figure.
        folder: where to write.
    """
    shared = _headline(content) | {"style": html_page.read_template("style.css")}
    page = {
        "page_style": html_page.read_template("page.css"),
        "motion": html_page.read_template("motion.js"),
        "absent": contact_sheets.absent_packs(reader, content.run.class_names),
        "captions": captions,
    }
    html_page.write_page("report.html", shared | page | _report(content, reader, drawings), folder / "report.html")
    html_page.write_page("clips.html", shared | page | _clips(content, reader), folder / "clips.html")
    carried = {
        "open_page": html_page.read_template("open_page.js"),
        "packed": {name: html_page.pack_page(folder / f"{name}.html") for name in ("report", "clips")},
    }
    html_page.write_page("landing.html", shared | carried, folder / "landing.html")


def _headline(content: Content) -> dict[str, Any]:
    """Return what the template of the first screen shows."""
    run, scores = content.run, content.scores
    networks = " and ".join(dict.fromkeys(map(network_name, run.models.values())))
    chart = charts.make_headline(run, content.answer, scores, content.comparisons).to_dict(validate=False)
    return {
        "title": f"{networks} on {run.settings.dataset.name}: run {run.name}",
        "notices": content.notices,
        "answer": content.answer,
        "headline_image": html_page.show_image(html_page.draw_svg(chart), content.findings["headline"]),
        "sentence": answer_sentence(scores, run.protocols[0]),
        "conclusions": draw_conclusions(run, content.answer, content.tables["class_accuracy"], content.comparisons),
        "cost_sentence": content.findings["cost"],
        "drawn": datetime.date.today().isoformat(),
        "scores": scores,
        "score_columns": score_columns(scores),
        "comparisons": content.comparisons,
        "protocols": describe_protocols(run),
        "sections": [
            (key, name) for key, name in SECTIONS.items() if key != "comparison" or run.settings.report.compare
        ],
    }


def _report(content: Content, reader: contact_sheets.FrameReader, drawings: Mapping[str, str]) -> dict[str, Any]:
    """Return what the template of the report shows beside the headline."""
    run, tables, findings = content.run, content.tables, content.findings
    mistakes = tables["mistakes"].drop_duplicates("video").head(contact_sheets.MISTAKES).to_dict("records")
    pairs, details = content.choose_pairs(), content.detail_classes()
    shown = [*mistakes, *(video for each in pairs for video in each.tested + each.trained)]
    wanted = [ClipName(video["class"], video["video"], video["split"]) for video in shown]
    printed = charts.make_print_confusion(run)
    return {
        "sprites": _draw_clips(content, reader, [*wanted, *class_details.list_clips(details)], CLIPS_IN_REPORT),
        "charts": {name: content.specify(name, chart) for name, chart in content.charts.items()},
        "chart_images": {name: html_page.show_image(drawings[name], findings[name]) for name in content.charts},
        "print_confusion": printed and html_page.show_image(
            html_page.draw_svg(content.specify("confusion", printed)), findings["confusion"]
        ),
        "most_confused": confusion_chart.MOST_CONFUSED,
        "findings": findings,
        "class_ids": {each.name: f"class-{number}" for number, each in enumerate(details)},
        "details": details,
        "pairs": pairs,
        "mistakes": mistakes,
        "tables": {name: html_page.render_table(table) for name, table in tables.items()},
        "comparison_notices": content.warnings,
        "audit_summary": audit_sentence(tables["audit"]),
        "provenance": describe_run(run),
        "settings": yaml.safe_dump(run.settings.model_dump(), sort_keys=False, allow_unicode=True),
        "vega": html_page.vega_script(),
        "numbers": chart_style.NUMBERS,
        "tables_script": html_page.read_template("tables.js"),
        "charts_script": html_page.read_template("charts.js"),
    }  # fmt: skip


def _clips(content: Content, reader: contact_sheets.FrameReader) -> dict[str, Any]:
    """Return what the template of the clips shows: a test video of every class."""
    testing = content.splits[content.splits["subset"] == "test"].sort_values("label", kind="stable")
    chosen = testing.drop_duplicates("class")[["class", "video", "split"]]
    seen = [ClipName(*row) for row in chosen.itertuples(index=False)]
    return {"sprites": _draw_clips(content, reader, seen, CLIPS_ON_THEIR_PAGE), "seen": seen}


def _draw_clips(
    content: Content, reader: contact_sheets.FrameReader, names: list[ClipName], budget: int
) -> dict[ClipName, Sprite]:
    """Draw clips, or none where there are no frames."""
    if not reader.has_packs(content.run.class_names):
        return {}
    lengths = {split: model["clip"]["frames"] for (split, _), model in content.run.models.items()}
    return draw_sprites(names, reader, lengths, content.run.settings.evaluate, budget)
