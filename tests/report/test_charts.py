"""Which marks the charts have."""

import numpy as np
import pandas as pd

from video3d.report import confusion_chart, html_page, prediction_charts, training_charts


def confusion(classes: int, small: bool = False) -> dict:
    counts = np.full((classes, classes), 1) + np.diag([60] * classes)
    shares = counts / counts.sum(axis=1, keepdims=True)
    names = [f"class{number}" for number in range(classes)]
    return confusion_chart.draw_confusion(counts, shares, names, 20, small).to_dict()


def test_cells_of_few_classes_have_numbers() -> None:
    marks = [layer["mark"]["type"] for layer in confusion(15)["layer"]]
    assert "text" in marks
    assert "text" not in [layer["mark"]["type"] for layer in confusion(16)["layer"]]


def test_small_shares_of_many_classes_are_behind_a_switch() -> None:
    (switch,) = [each for each in confusion(16)["params"] if each["name"] == confusion_chart.SWITCH]
    assert switch["value"] is False
    assert switch["bind"]["input"] == "checkbox"
    # 16 cells of the diagonal, and only if they are asked for the 16 * 15 others, each 1 of 76.
    paths = [html_page.draw_svg(confusion(16, small)).count("<path") for small in (False, True)]
    assert paths[1] - paths[0] == 16 * 15


def test_the_most_confused_are_chosen_in_either_direction() -> None:
    counts = np.diag([50] * 30)
    counts[3, 29] = 2
    chosen = confusion_chart.most_confused(counts).tolist()
    assert len(chosen) == confusion_chart.MOST_CONFUSED
    assert {3, 29} <= set(chosen)
    assert chosen == sorted(chosen)


def test_points_of_few_videos_are_left_out() -> None:
    table = pd.DataFrame({"group": [1, 2, 3], "videos": [20, 19, 40], "top1": [0.1, 0.2, 0.3]})
    assert prediction_charts.keep_large(table)["group"].tolist() == [1, 3]
    assert prediction_charts.keep_large(table[:2]).empty  # one point alone says nothing
    assert "Left out" in str(prediction_charts.draw_groups_and_lengths({"group": table[:0]}, 0.5).to_dict())


def test_curves_are_means_and_ranges_over_the_seeds_of_a_split() -> None:
    history = pd.DataFrame(
        [(split, seed, epoch, 0.01, 5 - epoch, 0.1 * epoch + 0.2 * seed, None, None)
         for split in (1, 2) for seed in (0, 1) for epoch in (1, 2)],
        columns=["split", "seed", "epoch", "learning_rate", "loss", "top1", "validation_loss", "validation_top1"],
    )  # fmt: skip
    tests = pd.DataFrame({"split": [1, 2], "top1": [0.15, 0.25]})
    chart = training_charts.draw_learning_curves(history, tests).to_dict()
    loss, top1, _ = chart["vconcat"]
    assert [panel["layer"][0]["title"] for panel in top1["hconcat"]] == ["split 1: top-1", "split 2: top-1"]
    rows = chart["datasets"][top1["hconcat"][0]["layer"][0]["data"]["name"]]
    assert [(row["epoch"], round(row["mean"], 3), round(row["min"], 3), round(row["max"], 3)) for row in rows] == [
        (1, 0.2, 0.1, 0.3), (2, 0.3, 0.2, 0.4),
    ]  # fmt: skip
    marks = [[layer["mark"]["type"] for layer in row["hconcat"][0]["layer"]] for row in (loss, top1)]
    assert marks == [["area", "line"], ["area", "line", "rule", "text"]]  # the gap to the test is drawn for top-1
