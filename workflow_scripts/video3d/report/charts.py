"""Every chart of the report, by name: made from the tables of a run, with its heading and its finding in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from video3d.report import analysis, conclusions, confusion_chart, paper_figures, prediction_charts, training_charts
from video3d.report.chart_style import make_heading
from video3d.report.headline import MEAN, Score, answer_sentence
from video3d.report.published import PublishedComparison, best_comparable
from video3d.report.results import Run

# Pixels of a cell of the confusion matrix: on the page, and in the SVG, which has to fit on a screen as a whole.
CELL_ON_PAGE, CELL_IN_SVG = 8.2, 4.6


def make_charts(
    run: Run,
    tables: dict[str, pd.DataFrame],
    splits: pd.DataFrame,
    scores: Sequence[Score],
    comparisons: Sequence[PublishedComparison],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the charts of the run and what each of them shows, in words; both by name.

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
    by = {key: prediction_charts.keep_large(analysis.accuracy_by(videos, key)) for key in ("group", "length")}
    tests = pd.DataFrame(
        [
            (int(score.split), score.top1)
            for score in scores
            if score.split != MEAN and score.protocol == run.protocols[0]
        ],
        columns=["split", "top1"],
    )
    counts, names = _order_confusions(run)
    charts = {
        "accuracy": prediction_charts.draw_accuracy(scores, comparisons, run.accuracy),
        "learning_curves": training_charts.draw_learning_curves(run.history, tests),
        "calibration": prediction_charts.draw_calibration(analysis.calibration(run.first_predictions)),
        "class_accuracy": prediction_charts.draw_class_accuracy(tables["class_accuracy"]),
        "confusion": _draw_confusion(counts, names, CELL_ON_PAGE, small=False),
        "groups_and_lengths": prediction_charts.draw_groups_and_lengths(by, videos["correct"].mean()),
        "cost": training_charts.draw_cost(tables["stages"].query("rule != 'total'"), run.history),
    }
    return charts, conclusions.describe_charts(run, answer_sentence(scores, run.protocols[0]), tables, by)


def make_headline(
    run: Run, answer: Score, scores: Sequence[Score], comparisons: Sequence[PublishedComparison]
) -> alt.LayerChart:
    """Return the chart of the first screen; `answer` is the score that it is about."""
    best = best_comparable(comparisons, answer.protocol)
    return prediction_charts.draw_headline(answer, best, scores, 1 / len(run.class_names))


def make_small_confusion(run: Run) -> alt.LayerChart:
    """Return the confusion matrix with all of its cells, so small that it fits on a screen."""
    return _draw_confusion(*_order_confusions(run), CELL_IN_SVG, small=True)


def make_print_confusion(run: Run) -> alt.LayerChart | None:
    """Return the confusion matrix of the most confused classes, large enough for paper; None if it has all classes."""
    counts, names = _order_confusions(run)
    if len(names) <= confusion_chart.MOST_CONFUSED:
        return None
    chosen = confusion_chart.most_confused(counts)
    part = np.ix_(chosen, chosen)
    names = [names[index] for index in chosen]
    shares = analysis.confusion_shares(counts)
    return confusion_chart.draw_confusion(counts[part], shares[part], names, confusion_chart.PRINT_STEP)


def make_paper_charts(run: Run, charts: Mapping[str, Any], scores: Sequence[Score]) -> dict[str, tuple[Any, int]]:
    """Return the charts that are drawn for a paper with their width in millimetres, by the name of their file.

    `charts` are those of `make_charts`. In a column of text the names of published numbers have no room.
    """
    charts = {**charts, "confusion": make_print_confusion(run) or make_small_confusion(run)}
    made = {
        f"{name}_{width}mm": (charts[name], width) for name, widths in paper_figures.WIDTHS.items() for width in widths
    }
    return made | {"accuracy_85mm": (prediction_charts.draw_accuracy(scores, (), run.accuracy), 85)}


def _order_confusions(run: Run) -> tuple[np.ndarray, list[str]]:
    """Return the confusions in the order of similarity, int64 (classes, classes), and the names of the classes."""
    counts = analysis.confusion_counts(run.first_predictions, len(run.class_names))
    order = analysis.similarity_order(analysis.confusion_shares(counts))
    return counts[np.ix_(order, order)], [run.class_names[label] for label in order]


def _draw_confusion(counts: np.ndarray, names: Sequence[str], cell: float, small: bool) -> alt.LayerChart:
    """Draw it; `cell` is the number of pixels of a cell of many."""
    step = min(40, max(cell, 420 / len(names)))
    return confusion_chart.draw_confusion(counts, analysis.confusion_shares(counts), names, step, small)


def make_comparison_charts(
    run: Run, others: Sequence[Run], differences: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the charts of this run beside other runs and what each of them shows, in words; both by name."""
    histories = pd.concat([each.history.assign(run=each.name) for each in (run, *others)])
    label = differences["run"] + ", " + differences["protocol"]
    charts = {
        "differences": prediction_charts.draw_differences(differences.assign(label=label)),
        "overlaid_curves": training_charts.draw_overlaid_curves(histories),
    }
    ends = [f"Run {each.name}: {conclusions.describe_curves(each.history)}" for each in (run, *others)]
    return charts, {"differences": conclusions.describe_differences(differences), "overlaid_curves": " ".join(ends)}


def specify(chart: Any, title: str, notices: Sequence[str], finding: str) -> dict[str, Any]:
    """Return a chart as a Vega-Lite specification: with its heading, and with its finding for those who hear it."""
    return chart.to_dict(validate=False) | make_heading(title, notices) | {"description": finding}
