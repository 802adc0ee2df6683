"""Draw everything that the report of a run shows.

Goes in: the results of a run (accuracy.csv, predictions, histories, audit, split tables), the frames of its data set,
Snakemake's benchmark files. Comes out, in the folder --output:

    landing.html   headline for the landing page of `snakemake --report`
    report.html    the whole report on one page, interactive, with everything in it
    clips.html     what the network sees of a video of every class
    facts.rst      the numbers that the captions in report/*.rst name
    *.svg          each figure by itself
    *.csv          the numbers behind the figures
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
import yaml

from video3d.common.console import run as run_main
from video3d.common.console import stopwatch
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.report import analysis, charts, contact_sheets, headline, html_page, provenance
from video3d.report import tables as report_tables
from video3d.report.results import Run, read_run

SVG_OF_CHARTS = (
    "accuracy", "learning_curves", "calibration", "class_accuracy", "confusion", "groups_and_lengths", "cost",
)  # fmt: skip
SVG_OF_PICTURES = ("mistakes", "confused_pairs")
CSV_OF_TABLES = ("class_accuracy", "confused_pairs", "mistakes")
SECTIONS = {
    "accuracy-section": "How good is it?",
    "evidence": "Why should I believe it?",
    "failures": "Where does it fail?",
    "cost-section": "What did it cost?",
    "comparison": "Other runs",
    "provenance": "Provenance",
}
# Pixels of a cell of the confusion matrix: on the page, and in the SVG, which has to fit on a screen as a whole.
CELL_ON_PAGE, CELL_IN_SVG = 8.2, 4.6


def draw(run: Run, others: list[Run], folder: Path, frames: Path, benchmarks: Path, output: Path) -> None:
    """Write every file named above into the folder `output`; `folder` is results/<run>, `frames` holds the packs."""
    audit = report_tables.read_audit(folder)
    tables = report_tables.make_tables(run, audit, benchmarks)
    splits = report_tables.read_splits(folder, run.settings.splits)
    scores = headline.scores(run)
    comparisons = headline.compare(run, scores)
    notices = headline.notices(run, scores, audit)
    facts = make_facts(run, tables)
    (output / "facts.rst").write_text(html_page.substitutions(facts), encoding="utf-8")

    drawn = make_charts(run, tables, splits, scores, comparisons)
    compared = []
    if others:
        tables["differences"] = report_tables.run_differences(run, others)
        compared = report_tables.comparison_notices(run, tables["differences"])
        drawn |= comparison_charts(run, others, tables["differences"])
    origins = make_origins(run, facts)
    headings = {name: charts.heading(origins.get(name, origins["predictions"]), notices) for name in drawn}
    if compared:
        headings["differences"] = charts.heading(origins["differences"], compared + notices)
    for name in SVG_OF_CHARTS:
        chart = confusion_chart(run, CELL_IN_SVG) if name == "confusion" else drawn[name]
        svg = vl_convert.vegalite_to_svg(chart.to_dict(validate=False) | headings[name])
        (output / f"{name}.svg").write_text(svg, encoding="utf-8")
    heading = [origins["predictions"], *notices]
    images = make_pictures(run, tables, splits, contact_sheets.Frames(frames), heading)
    for name in SVG_OF_PICTURES:
        (output / f"{name}.svg").write_text(images[name], encoding="utf-8")
    for name in CSV_OF_TABLES:
        (output / f"{name}.csv").write_text(html_page.csv(tables[name]), encoding="utf-8")

    networks = " and ".join(dict.fromkeys(map(provenance.network_name, run.models.values())))
    shared = {
        "title": f"{networks} on {run.settings.dataset.name}: run {run.name}",
        "notices": notices,
        "sentence": headline.sentence(scores, run.protocols[0]),
        "scores": scores,
        "comparisons": comparisons,
        "protocols": provenance.protocols(run),
        "sections": [(key, title) for key, title in SECTIONS.items() if others or key != "comparison"],
        "style": html_page.style(),
    }
    details = {
        "captions": {
            name: html_page.caption(name, run.settings.model_dump(), output / "facts.rst") for name in [*drawn, *images]
        },
        "charts": {name: chart.to_dict(validate=False) | headings[name] for name, chart in drawn.items()},
        "images": images,
        "tables": {name: html_page.table(frame) for name, frame in tables.items()},
        "comparison_notices": compared,
        "audit_summary": report_tables.audit_summary(tables["audit"]),
        "provenance": provenance.facts(run),
        "settings": yaml.safe_dump(run.settings.model_dump(), sort_keys=False, allow_unicode=True),
        "javascript": html_page.javascript(),
        "script": html_page.script(),
    }
    html_page.write("landing.html", shared, output / "landing.html")
    html_page.write("page.html", shared | details, output / "report.html")
    html_page.write("clips.html", shared | details, output / "clips.html")


def make_charts(
    run: Run,
    tables: dict[str, pd.DataFrame],
    splits: pd.DataFrame,
    scores: list[headline.Score],
    comparisons: list[headline.Comparison],
) -> dict[str, Any]:
    """The charts of the run, by name."""
    predictions = report_tables.first_protocol(run)
    lengths = splits.loc[splits["subset"] == "test", ["split", "video", "frames"]]
    videos = analysis.one_row_per_video(predictions).merge(lengths, on=["split", "video"])
    videos["length"] = analysis.length_bins(videos["frames"])
    mean = videos["correct"].mean()
    return {
        "accuracy": charts.accuracy(scores, comparisons, run.accuracy),
        "learning_curves": charts.learning_curves(run.history),
        "calibration": charts.calibration(analysis.calibration(predictions)),
        "class_accuracy": charts.class_accuracy(tables["class_accuracy"]),
        "confusion": confusion_chart(run, CELL_ON_PAGE),
        "groups_and_lengths": alt.hconcat(
            charts.accuracy_by(analysis.accuracy_by(videos, "group"), "group", "group", mean),
            charts.accuracy_by(analysis.accuracy_by(videos, "length"), "length", "frames in the video", mean),
        ),
        "cost": charts.cost(tables["stages"].query("rule != 'total'"), run.history),
    }


def confusion_chart(run: Run, cell: float) -> alt.Chart:
    """The confusion matrix in the order of similarity; `cell` is the number of pixels of a cell if there are many."""
    confusion = analysis.confusion_matrix(report_tables.first_protocol(run), len(run.classes))
    order = analysis.similarity_order(confusion)
    step = min(40, max(cell, 420 / len(order)))
    return charts.confusion(confusion[np.ix_(order, order)], [run.classes[i] for i in order], step)


def comparison_charts(run: Run, others: list[Run], differences: pd.DataFrame) -> dict[str, Any]:
    """The charts of this run beside other runs, by name."""
    histories = pd.concat([each.history.assign(run=each.name) for each in (run, *others)])
    label = differences["run"] + ", " + differences["protocol"]
    return {
        "differences": charts.differences(differences.assign(label=label)),
        "overlaid_curves": charts.overlaid_curves(histories),
    }


def make_pictures(
    run: Run, tables: dict[str, pd.DataFrame], splits: pd.DataFrame, frames: contact_sheets.Frames, heading: list[str]
) -> dict[str, str]:
    """The contact sheets as SVG, by name; `heading` is the lines above those that are files of their own."""
    if not frames.complete(run.classes):
        absent = contact_sheets.nothing(f"No pictures: the packs of frames are not in {frames.folder}.")
        return dict.fromkeys((*SVG_OF_PICTURES, "clips"), absent)
    training, testing = splits[splits["subset"] == "train"], splits[splits["subset"] == "test"]
    settings = {
        split: run.settings.model_copy(update={"clip": run.settings.clip.model_copy(update=model["clip"])})
        for (split, _), model in run.models.items()
    }
    return {
        "mistakes": contact_sheets.mistakes(frames, tables["mistakes"], heading),
        "confused_pairs": contact_sheets.confused_pairs(
            frames, tables["confused_pairs"], tables["mistakes"], training, heading
        ),
        "clips": contact_sheets.clips(frames, testing.sort_values("label", kind="stable"), settings),
    }


def make_origins(run: Run, facts: dict[str, Any]) -> dict[str, str]:
    """Which numbers a figure shows, by its name; `predictions` stands for all that are not named."""
    networks = f"run {run.name}, splits {facts['splits']}; {facts['seeds']} seed(s)"
    everything = f"{networks}; protocols {', '.join(run.protocols)}; n = {facts['videos']} test videos"
    return {
        "predictions": f"{networks}; protocol {facts['protocol']}; n = {facts['videos']} test videos",
        **dict.fromkeys(("accuracy", "differences"), everything),
        "learning_curves": f"run {run.name}, {facts['trainings']} training(s)",
        **dict.fromkeys(("cost", "overlaid_curves"), networks),
    }


def make_facts(run: Run, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The numbers that captions name."""
    predictions = report_tables.first_protocol(run)
    videos = predictions.drop_duplicates(["split", "video"])
    return {
        "videos": f"{len(videos):,}",
        "predictions": f"{len(predictions):,}",
        "classes": len(run.classes),
        "groups": f"{videos.groupby(['class', 'group']).ngroups:,}",
        "splits": ", ".join(map(str, run.settings.splits)),
        "seeds": len(run.settings.seeds),
        "network": provenance.networks(run),
        "clip": provenance.clips(run),
        "trainings": len(run.trainings),
        "recipe": provenance.recipes(run),
        "protocol": run.protocols[0],
        "calibration_error": f"{100 * analysis.calibration_error(analysis.calibration(predictions)):.1f} %",
        "mistakes": f"{len(tables['mistakes']):,}",
        "shown_mistakes": min(contact_sheets.MISTAKES, tables["mistakes"]["video"].nunique()),
    }


def main() -> None:
    """Parse the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, help="results/<run>")
    parser.add_argument("--frames", required=True, type=Path, help="folder of the frame packs")
    parser.add_argument("--settings", help="settings as YAML, JSON or a file (default: config.yaml of the run)")
    parser.add_argument("--benchmarks", default="benchmarks", type=Path, help="default: %(default)s")
    parser.add_argument("--output", required=True, type=Path, help="folder to write, e.g. results/<run>/figures")
    arguments = parser.parse_args()
    settings = read_settings(arguments.settings) if arguments.settings else None
    with stopwatch("drew the figures"), atomic_path(arguments.output) as output:
        output.mkdir()
        run = read_run(arguments.run, settings)
        others = [read_run(arguments.run.parent / name) for name in run.settings.report.compare]
        draw(run, others, arguments.run, arguments.frames, arguments.benchmarks, output)


if __name__ == "__main__":
    sys.exit(run_main(main))
