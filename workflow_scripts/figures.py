"""Draw everything that the report of a run shows.

Goes in: the results of a run (accuracy.csv, predictions, histories, audit, split tables), the frames of its data set,
Snakemake's benchmark files. Comes out, in the folder --output:

    landing.html   headline for the landing page of `snakemake --report`, which carries both pages
    report.html    the whole report on one page, interactive, with everything in it
    clips.html     what the network sees of a video of every class
    facts.rst      the numbers that the captions in report/*.rst name
    *.svg          each figure by itself
    *.csv          the numbers behind the figures
"""

import argparse
import datetime
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from video3d.common.console import run, stopwatch
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.report import chart_style, charts, class_details, confusion_chart, contact_sheets, html_page
from video3d.report.captions import collect_facts, figure_titles, render_caption, write_substitutions
from video3d.report.clip_sprites import ClipName, Sprite, draw_sprites
from video3d.report.conclusions import draw_conclusions
from video3d.report.headline import answer_sentence, choose_answer, collect_scores, score_columns
from video3d.report.notices import collect_notices
from video3d.report.paired_comparison import difference_table, leak_warnings
from video3d.report.provenance import describe_protocols, describe_run, network_name
from video3d.report.published import compare_with_published
from video3d.report.results import Run, read_run
from video3d.report.tables import audit_sentence, make_tables, read_audit, read_splits

CAPTIONS = Path(__file__).parents[1] / "report"
SVG_OF_CHARTS = (
    "accuracy", "learning_curves", "calibration", "class_accuracy", "confusion", "groups_and_lengths", "cost",
)  # fmt: skip
SVG_OF_PICTURES = ("mistakes", "confused_pairs")
CSV_OF_TABLES = ("class_accuracy", "confused_pairs", "mistakes")
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


def draw_figures(run: Run, others: list[Run], folder: Path, frames: Path, benchmarks: Path, output: Path) -> None:
    """Write every file named above.

    Args:
        run: the run that the report is about.
        others: the runs that it is compared with.
        folder: results/<run>, where audit and split tables are.
        frames: folder of the packs.
        benchmarks: folder of Snakemake's benchmark files.
        output: folder to write into.
    """
    audit, splits = read_audit(folder), read_splits(folder, run.settings.splits)
    tables = make_tables(run, audit, benchmarks)
    scores = collect_scores(run)
    comparisons = compare_with_published(run, scores)
    notices = collect_notices(run, scores, audit)
    facts = collect_facts(run, tables["mistakes"])
    write_substitutions(facts, output / "facts.rst")
    answer = choose_answer(scores, run.protocols[0])

    made, findings = charts.make_charts(run, tables, splits, scores, comparisons)
    warnings = []
    if others:
        tables["differences"] = difference_table(run, others)
        warnings = leak_warnings(run, tables["differences"])
        compared, found = charts.make_comparison_charts(run, others, tables["differences"])
        made, findings = made | compared, findings | found
    titles = figure_titles(run, facts)

    def specify(name: str, chart: Any) -> dict[str, Any]:
        said = warnings + notices if name == "differences" else notices
        return charts.specify(chart, titles.get(name, titles["predictions"]), said, findings[name])

    specifications = {name: specify(name, chart) for name, chart in made.items()}
    drawings = {name: html_page.draw_svg(each) for name, each in specifications.items()}
    files = drawings | {"confusion": html_page.draw_svg(specify("confusion", charts.make_small_confusion(run)))}
    reader = contact_sheets.FrameReader(frames)
    has_frames = reader.has_packs(run.class_names)
    pairs = contact_sheets.choose_pairs(
        tables["confused_pairs"], tables["mistakes"], splits[splits["subset"] == "train"]
    )
    files |= draw_sheets(reader, tables["mistakes"], pairs, [titles["predictions"], *notices], has_frames)
    for name in (*SVG_OF_CHARTS, *SVG_OF_PICTURES):
        (output / f"{name}.svg").write_text(files[name], encoding="utf-8")
    for name in CSV_OF_TABLES:
        (output / f"{name}.csv").write_text(html_page.to_csv(tables[name]), encoding="utf-8")

    worst = class_details.number_of_worst(len(run.class_names))
    details = class_details.collect_details(run, tables["class_accuracy"], tables["confused_pairs"], worst)
    mistakes = tables["mistakes"].drop_duplicates("video").head(contact_sheets.MISTAKES).to_dict("records")
    testing = splits[splits["subset"] == "test"].sort_values("label", kind="stable").drop_duplicates("class")
    seen = [ClipName(*row) for row in testing[["class", "video", "split"]].itertuples(index=False)]
    lengths = {split: model["clip"]["frames"] for (split, _), model in run.models.items()}

    def draw_clips(names: list[ClipName], budget: int) -> dict[ClipName, Sprite]:
        return draw_sprites(names, reader, lengths, run.settings.evaluate, budget) if has_frames else {}

    networks = " and ".join(dict.fromkeys(map(network_name, run.models.values())))
    headline = charts.make_headline(run, answer, scores, comparisons).to_dict(validate=False)
    shared = {
        "title": f"{networks} on {run.settings.dataset.name}: run {run.name}",
        "notices": notices,
        "answer": answer,
        "headline_image": html_page.show_image(html_page.draw_svg(headline), findings["headline"]),
        "sentence": answer_sentence(scores, run.protocols[0]),
        "conclusions": draw_conclusions(run, answer, tables["class_accuracy"], comparisons),
        "cost_sentence": findings["cost"],
        "drawn": datetime.date.today().isoformat(),
        "scores": scores,
        "score_columns": score_columns(scores),
        "comparisons": comparisons,
        "protocols": describe_protocols(run),
        "sections": [(key, title) for key, title in SECTIONS.items() if others or key != "comparison"],
        "style": html_page.read_template("style.css"),
    }
    page = {
        "page_style": html_page.read_template("page.css"),
        "motion": html_page.read_template("motion.js"),
        "absent": "" if has_frames else f"No pictures: the packs of frames are not in {frames}.",
        "captions": {
            name: render_caption(CAPTIONS / f"{name}.rst", run.settings.model_dump(), output / "facts.rst")
            for name in [*made, *SVG_OF_PICTURES, "clips"]
        },
    }
    printed = charts.make_print_confusion(run)
    shown = [*mistakes, *(video for each in pairs for video in each.tested + each.trained)]
    wanted = [ClipName(video["class"], video["video"], video["split"]) for video in shown]
    report = {
        "sprites": draw_clips([*wanted, *class_details.list_clips(details)], CLIPS_IN_REPORT),
        "charts": specifications,
        "chart_images": {name: html_page.show_image(drawings[name], findings[name]) for name in made},
        "print_confusion": printed and html_page.show_image(
            html_page.draw_svg(specify("confusion", printed)), findings["confusion"]
        ),
        "most_confused": confusion_chart.MOST_CONFUSED,
        "findings": findings,
        "class_ids": {each.name: f"class-{number}" for number, each in enumerate(details)},
        "details": details,
        "pairs": pairs,
        "mistakes": mistakes,
        "tables": {name: html_page.render_table(table) for name, table in tables.items()},
        "comparison_notices": warnings,
        "audit_summary": audit_sentence(tables["audit"]),
        "provenance": describe_run(run),
        "settings": yaml.safe_dump(run.settings.model_dump(), sort_keys=False, allow_unicode=True),
        "vega": html_page.vega_script(),
        "numbers": chart_style.NUMBERS,
        "tables_script": html_page.read_template("tables.js"),
        "charts_script": html_page.read_template("charts.js"),
    }  # fmt: skip
    clips = {"sprites": draw_clips(seen, CLIPS_ON_THEIR_PAGE), "seen": seen}
    html_page.write_page("report.html", shared | page | report, output / "report.html")
    html_page.write_page("clips.html", shared | page | clips, output / "clips.html")
    carried = {
        "open_page": html_page.read_template("open_page.js"),
        "packed": {name: html_page.pack_page(output / f"{name}.html") for name in ("report", "clips")},
    }
    html_page.write_page("landing.html", shared | carried, output / "landing.html")


def draw_sheets(
    reader: contact_sheets.FrameReader, mistakes: pd.DataFrame, pairs: list, heading: list[str], has_frames: bool
) -> dict[str, str]:
    """Return the contact sheets as SVG, by name.

    Args:
        reader: where the frames are read.
        mistakes: the table of mistakes.
        pairs: as from `contact_sheets.choose_pairs`.
        heading: lines above the pictures.
        has_frames: whether there are frames; else the sheets say that there are none.
    """
    if not has_frames:
        absent = contact_sheets.draw_sentence(f"No pictures: the packs of frames are not in {reader.folder}.")
        return dict.fromkeys(SVG_OF_PICTURES, absent)
    return {
        "mistakes": contact_sheets.draw_mistakes(reader, mistakes, heading),
        "confused_pairs": contact_sheets.draw_confused_pairs(reader, pairs, heading),
    }


def main() -> None:
    """Read the run and those that it is compared with, and draw."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings) if arguments.settings else None
    with stopwatch("drew the figures"), atomic_path(arguments.output) as output:
        output.mkdir()
        drawn = read_run(arguments.run, settings)
        others = [read_run(arguments.run.parent / name) for name in drawn.settings.report.compare]
        draw_figures(drawn, others, arguments.run, arguments.frames, arguments.benchmarks, output)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, help="results/<run>")
    parser.add_argument("--frames", required=True, type=Path, help="folder of the frame packs")
    parser.add_argument("--settings", help="settings as YAML, JSON or a file (default: config.yaml of the run)")
    parser.add_argument("--benchmarks", default="benchmarks", type=Path, help="default: %(default)s")
    parser.add_argument("--output", required=True, type=Path, help="folder to write, e.g. results/<run>/figures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
