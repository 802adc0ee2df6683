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

from video3d.common.console import run, stopwatch
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.report import analysis, chart_style, contact_sheets, html_page, prediction_charts, training_charts
from video3d.report.captions import collect_facts, figure_titles, render_caption, write_substitutions
from video3d.report.headline import Score, answer_sentence, collect_scores
from video3d.report.notices import collect_notices
from video3d.report.paired_comparison import difference_table, leak_warnings
from video3d.report.provenance import describe_protocols, describe_run, network_name
from video3d.report.published import PublishedComparison, compare_with_published
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
    "cost-section": "What did it cost?",
    "comparison": "Other runs",
    "provenance": "Provenance",
}
# Pixels of a cell of the confusion matrix: on the page, and in the SVG, which has to fit on a screen as a whole.
CELL_ON_PAGE, CELL_IN_SVG = 8.2, 4.6


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

    charts = make_charts(run, tables, splits, scores, comparisons)
    warnings = []
    if others:
        tables["differences"] = difference_table(run, others)
        warnings = leak_warnings(run, tables["differences"])
        charts |= make_comparison_charts(run, others, tables["differences"])
    titles = figure_titles(run, facts)
    headings = {name: chart_style.make_heading(titles.get(name, titles["predictions"]), notices) for name in charts}
    if warnings:
        headings["differences"] = chart_style.make_heading(titles["differences"], warnings + notices)
    charts = {name: chart.to_dict(validate=False) | headings[name] for name, chart in charts.items()}
    small_confusion = draw_confusion(run, CELL_IN_SVG).to_dict(validate=False) | headings["confusion"]
    for name in SVG_OF_CHARTS:
        svg = vl_convert.vegalite_to_svg(small_confusion if name == "confusion" else charts[name])
        (output / f"{name}.svg").write_text(svg, encoding="utf-8")
    heading = [titles["predictions"], *notices]
    pictures = draw_pictures(run, tables, splits, contact_sheets.FrameReader(frames), heading)
    for name in SVG_OF_PICTURES:
        (output / f"{name}.svg").write_text(pictures[name], encoding="utf-8")
    for name in CSV_OF_TABLES:
        (output / f"{name}.csv").write_text(html_page.to_csv(tables[name]), encoding="utf-8")

    networks = " and ".join(dict.fromkeys(map(network_name, run.models.values())))
    shared = {
        "title": f"{networks} on {run.settings.dataset.name}: run {run.name}",
        "notices": notices,
        "sentence": answer_sentence(scores, run.protocols[0]),
        "scores": scores,
        "comparisons": comparisons,
        "protocols": describe_protocols(run),
        "sections": [(key, title) for key, title in SECTIONS.items() if others or key != "comparison"],
        "style": html_page.read_template("style.css"),
    }
    details = {
        "captions": {
            name: render_caption(CAPTIONS / f"{name}.rst", run.settings.model_dump(), output / "facts.rst")
            for name in [*charts, *pictures]
        },
        "charts": charts,
        "images": pictures,
        "tables": {name: html_page.render_table(table) for name, table in tables.items()},
        "comparison_notices": warnings,
        "audit_summary": audit_sentence(tables["audit"]),
        "provenance": describe_run(run),
        "settings": yaml.safe_dump(run.settings.model_dump(), sort_keys=False, allow_unicode=True),
        "vega": html_page.vega_script(),
        "sort_tables": html_page.read_template("sort_tables.js"),
    }
    html_page.write_page("landing.html", shared, output / "landing.html")
    for page in ("report.html", "clips.html"):
        html_page.write_page(page, shared | details, output / page)


def make_charts(
    run: Run,
    tables: dict[str, pd.DataFrame],
    splits: pd.DataFrame,
    scores: list[Score],
    comparisons: list[PublishedComparison],
) -> dict[str, Any]:
    """Return the charts of the run, by name.

    Args:
        run: the run.
        tables: its tables, by name, as from `make_tables`.
        splits: its split tables below each other, with the column `split`.
        scores: its scores, as from `collect_scores`.
        comparisons: published numbers beside them.
    """
    lengths = splits.loc[splits["subset"] == "test", ["split", "video", "frames"]]
    videos = analysis.average_seeds(run.first_predictions).merge(lengths, on=["split", "video"])
    videos["length"] = analysis.length_bins(videos["frames"])
    return {
        "accuracy": prediction_charts.draw_accuracy(scores, comparisons, run.accuracy),
        "learning_curves": training_charts.draw_learning_curves(run.history),
        "calibration": prediction_charts.draw_calibration(analysis.calibration(run.first_predictions)),
        "class_accuracy": prediction_charts.draw_class_accuracy(tables["class_accuracy"]),
        "confusion": draw_confusion(run, CELL_ON_PAGE),
        "groups_and_lengths": prediction_charts.draw_groups_and_lengths(
            analysis.accuracy_by(videos, "group"), analysis.accuracy_by(videos, "length"), videos["correct"].mean()
        ),
        "cost": training_charts.draw_cost(tables["stages"].query("rule != 'total'"), run.history),
    }


def draw_confusion(run: Run, cell: float) -> alt.Chart:
    """Draw the confusion matrix in the order of similarity; `cell` is the number of pixels of a cell of many."""
    shares = analysis.confusion_shares(run.first_predictions, len(run.class_names))
    order = analysis.similarity_order(shares)
    step = min(40, max(cell, 420 / len(order)))
    class_names = [run.class_names[label] for label in order]
    return prediction_charts.draw_confusion(shares[np.ix_(order, order)], class_names, step)


def make_comparison_charts(run: Run, others: list[Run], differences: pd.DataFrame) -> dict[str, Any]:
    """Return the charts of this run beside other runs, by name."""
    histories = pd.concat([each.history.assign(run=each.name) for each in (run, *others)])
    label = differences["run"] + ", " + differences["protocol"]
    return {
        "differences": prediction_charts.draw_differences(differences.assign(label=label)),
        "overlaid_curves": training_charts.draw_overlaid_curves(histories),
    }


def draw_pictures(
    run: Run,
    tables: dict[str, pd.DataFrame],
    splits: pd.DataFrame,
    frames: contact_sheets.FrameReader,
    heading: list[str],
) -> dict[str, str]:
    """Return the contact sheets as SVG, by name.

    Args:
        run: the run.
        tables: its tables, by name, as from `make_tables`.
        splits: its split tables below each other, with the column `split`.
        frames: where the frames are read.
        heading: lines above the sheets that are files of their own.
    """
    if not frames.has_packs(run.class_names):
        absent = contact_sheets.draw_sentence(f"No pictures: the packs of frames are not in {frames.folder}.")
        return dict.fromkeys((*SVG_OF_PICTURES, "clips"), absent)
    training = splits[splits["subset"] == "train"]
    testing = splits[splits["subset"] == "test"].sort_values("label", kind="stable")
    shapes = {split: model["clip"] for (split, _), model in run.models.items()}
    return {
        "mistakes": contact_sheets.draw_mistakes(frames, tables["mistakes"], heading),
        "confused_pairs": contact_sheets.draw_confused_pairs(
            frames, tables["confused_pairs"], tables["mistakes"], training, heading
        ),
        "clips": contact_sheets.draw_clips(frames, testing, shapes, run.settings.evaluate),
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
