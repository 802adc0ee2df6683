"""Draw everything that the report of a run shows.

Goes in: the results of a run (accuracy.csv, predictions, histories), the audit and the split tables of its data set,
and Snakemake's benchmark files. Comes out, in the folder --output:

    landing.html   headline for the landing page of `snakemake --report`
    report.html    the whole report on one page, interactive, with everything in it
    facts.rst      the numbers that the captions in report/*.rst name
    *.svg          each figure by itself
    *.csv          the numbers behind the figures
"""

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
import yaml

from video3d import analysis, charts, headline, page, provenance
from video3d.config import settings_argument
from video3d.console import run as run_main
from video3d.console import stopwatch
from video3d.files import atomic_path
from video3d.results import Run, read_benchmarks, read_run, read_table

CHARTS = (
    "accuracy", "learning_curves", "calibration", "class_accuracy", "confusion", "groups_and_lengths", "cost",
)  # fmt: skip
TABLES = ("class_accuracy", "confused_pairs", "mistakes")
SECTIONS = (
    ("accuracy-section", "How good is it?"),
    ("evidence", "Why should I believe it?"),
    ("failures", "Where does it fail?"),
    ("cost-section", "What did it cost?"),
    ("provenance", "Provenance"),
)
# Pixels of a cell of the confusion matrix: on the page, and in the SVG, which has to fit on a screen as a whole.
CELL_ON_PAGE, CELL_IN_SVG = 8.2, 5
STAGES = (
    "make_demo_dataset", "download_videos", "download_splits", "unpack", "extract_frames", "audit", "make_splits",
    "train", "export", "evaluate", "accuracy",
)  # fmt: skip


def draw(run: Run, dataset: Path, benchmarks: Path, output: Path) -> None:
    """Write every file named above into the folder `output`."""
    tables = make_tables(run, dataset, benchmarks)
    scores = headline.scores(run)
    comparisons = headline.compare(run, scores)
    facts = make_facts(run, tables)
    (output / "facts.rst").write_text(page.substitutions(facts), encoding="utf-8")
    drawn = make_charts(run, tables, scores, comparisons, CELL_IN_SVG)
    for name in CHARTS:
        svg = vl_convert.vegalite_to_svg(drawn[name].to_dict())
        (output / f"{name}.svg").write_text(svg, encoding="utf-8")
    for name in TABLES:
        tables[name].to_csv(output / f"{name}.csv", index=False)
    drawn = make_charts(run, tables, scores, comparisons, CELL_ON_PAGE)
    shared = {
        "title": f"ResNet-{run.settings['model']['depth']} on {run.settings['dataset']['name']}: run {run.name}",
        "notices": headline.notices(run, scores),
        "sentence": headline.sentence(scores, run.protocols[0]),
        "scores": scores,
        "comparisons": comparisons,
        "protocols": [headline.PROTOCOL_NAMES[name] for name in run.protocols],
        "sections": SECTIONS,
        "style": page.style(),
    }
    whole = shared | {
        "captions": {name: page.caption(name, run.settings, output / "facts.rst") for name in CHARTS},
        "charts": json.dumps({name: chart.to_dict() for name, chart in drawn.items()}).replace("</", "<\\/"),
        "tables": {name: page.table(frame) for name, frame in tables.items() if name != "lengths"},
        "audit_summary": audit_summary(tables["audit"]),
        "provenance": provenance.facts(run),
        "settings": yaml.safe_dump(run.settings, sort_keys=False, allow_unicode=True),
        "javascript": page.javascript(),
        "script": page.script(),
    }
    templates = page.environment()
    for name, context in (("landing.html", shared), ("page.html", whole)):
        target = output / ("report.html" if name == "page.html" else name)
        target.write_text(templates.get_template(name).render(context), encoding="utf-8")


def make_tables(run: Run, dataset: Path, benchmarks: Path) -> dict[str, pd.DataFrame]:
    """The numbers of the report, by the name of the table on the page; of the run's first protocol."""
    predictions = first_protocol(run)
    audit = read_table(dataset / "audit.csv", {"video", "class", "status"})
    wrong = predictions[~predictions["correct"]].sort_values("top1_probability", ascending=False)
    columns = ["video", "class", "predicted_class", "top1_probability", "split", "seed"]
    stages = read_benchmarks(benchmarks, run.name, run.settings["dataset"]["name"])
    return {
        "class_accuracy": analysis.class_table(predictions),
        "confused_pairs": analysis.confused_pairs(predictions),
        "mistakes": wrong[columns].rename(columns={"top1_probability": "probability"}),
        "audit": audit_by_class(audit),
        "faults": audit.loc[audit["status"] != "ok", [c for c in audit if c != "group"]],
        "lengths": lengths(run, dataset),
        "stages": stage_times(stages),
        "weights": provenance.weights(run),
    }


def make_charts(
    run: Run,
    tables: dict[str, pd.DataFrame],
    scores: list[headline.Score],
    comparisons: list[headline.Comparison],
    cell: float,
) -> dict[str, Any]:
    """Every chart by name; `cell` is the number of pixels of a cell in a large confusion matrix."""
    predictions = first_protocol(run)
    videos = analysis.one_row_per_video(predictions).merge(tables["lengths"], on=["split", "video"])
    videos["length"] = analysis.length_bins(videos["frames"])
    confusion = analysis.confusion_matrix(predictions, len(run.classes))
    order = analysis.similarity_order(confusion)
    mean = videos["correct"].mean()
    return {
        "accuracy": charts.accuracy(scores, comparisons, run.accuracy),
        "learning_curves": charts.learning_curves(run.history),
        "calibration": charts.calibration(analysis.calibration(predictions)),
        "class_accuracy": charts.class_accuracy(tables["class_accuracy"]),
        "confusion": charts.confusion(
            confusion[np.ix_(order, order)], [run.classes[i] for i in order], min(40, max(cell, 420 / len(order)))
        ),
        "groups_and_lengths": alt.hconcat(
            charts.accuracy_by(analysis.accuracy_by(videos, "group"), "group", "group", mean),
            charts.accuracy_by(analysis.accuracy_by(videos, "length"), "length", "frames in the video", mean),
        ),
        "cost": charts.cost(tables["stages"], run.history),
    }


def first_protocol(run: Run) -> pd.DataFrame:
    """The predictions by the first protocol of the settings, which all figures but the headline are about."""
    return run.predictions[run.predictions["protocol"] == run.protocols[0]]


def lengths(run: Run, dataset: Path) -> pd.DataFrame:
    """Frames of every test video, from the split tables: columns split, video, frames."""
    tables = [
        read_table(dataset / "splits" / f"split{split}.csv", {"video", "subset", "frames"}).assign(split=split)
        for split in run.settings["splits"]
    ]
    table = pd.concat(tables, ignore_index=True)
    return table.loc[table["subset"] == "test", ["split", "video", "frames"]]


def audit_by_class(audit: pd.DataFrame) -> pd.DataFrame:
    """A row per class: listed videos and how many of them have each status."""
    counts = audit.groupby(["class", "status"]).size().unstack(fill_value=0)
    counts = counts[["ok", *counts.columns.drop("ok", errors="ignore")]] if "ok" in counts else counts
    counts.insert(0, "videos", counts.sum(axis=1))
    return counts.reset_index()


def audit_summary(by_class: pd.DataFrame) -> str:
    """One sentence: how many videos were checked and what was found."""
    total = by_class.drop(columns="class").sum()
    found = ", ".join(f"{int(total[status]):,} {status}" for status in total.index.drop("videos"))
    return f"{int(total['videos']):,} videos of {len(by_class)} classes were decoded frame by frame: {found}."


def stage_times(jobs: pd.DataFrame) -> pd.DataFrame:
    """A row per rule in the order of the workflow: jobs, seconds in all (also as h:mm:ss), megabytes at the peak."""
    table = jobs.groupby("rule").agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), megabytes=("megabytes", "max")
    )
    table.insert(2, "time", [str(datetime.timedelta(seconds=round(seconds))) for seconds in table["seconds"]])
    return table.reindex([name for name in STAGES if name in table.index]).reset_index()


def make_facts(run: Run, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The numbers that captions name."""
    predictions = first_protocol(run)
    videos = predictions.drop_duplicates(["split", "video"])
    return {
        "videos": f"{len(videos):,}",
        "predictions": f"{len(predictions):,}",
        "classes": len(run.classes),
        "groups": f"{videos.groupby(['class', 'group']).ngroups:,}",
        "splits": ", ".join(map(str, run.settings["splits"])),
        "seeds": len(run.settings["seeds"]),
        "trainings": run.history.groupby(["split", "seed"]).ngroups,
        "protocol": run.protocols[0],
        "calibration_error": f"{analysis.calibration_error(analysis.calibration(predictions)):.1%}",
        "mistakes": f"{len(tables['mistakes']):,}",
    }


def main() -> None:
    """Parse the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, help="results/<run>")
    parser.add_argument("--dataset", required=True, type=Path, help="data/<dataset>")
    parser.add_argument("--settings", help="settings as YAML, JSON or a file (default: config.yaml of the run)")
    parser.add_argument("--benchmarks", default="benchmarks", type=Path, help="default: %(default)s")
    parser.add_argument("--output", required=True, type=Path, help="folder to write, e.g. results/<run>/figures")
    arguments = parser.parse_args()
    settings = settings_argument(arguments.settings) if arguments.settings else None
    with stopwatch("drew the figures"), atomic_path(arguments.output) as output:
        output.mkdir()
        draw(read_run(arguments.run, settings), arguments.dataset, arguments.benchmarks, output)


if __name__ == "__main__":
    sys.exit(run_main(main))
