"""Tables behind the report, against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.predictions import predictions
from video3d.report import analysis

TABLE = predictions(
    ("a1", 1, "A", "A", 1), ("a1", 1, "A", "B", 2),
    ("a2", 2, "A", "B", 1), ("a2", 2, "A", "B", 2),
    ("b1", 1, "B", "B", 1), ("b1", 1, "B", "B", 2),
    ("c1", 1, "C", "A", 1), ("c1", 1, "C", "C", 2),
)  # fmt: skip


def test_a_video_counts_once_however_many_seeds() -> None:
    videos = analysis.average_seeds(TABLE).set_index("video")["correct"]
    assert videos.to_dict() == {"a1": 0.5, "a2": 0, "b1": 1, "c1": 0.5}


def test_accuracy_by_class() -> None:
    table = analysis.accuracy_by(analysis.average_seeds(TABLE), "class").set_index("class")
    assert table["top1"].to_dict() == {"A": 0.25, "B": 1, "C": 0.5}
    assert table["videos"].to_dict() == {"A": 2, "B": 1, "C": 1}
    assert table["groups"].to_dict() == {"A": 2, "B": 1, "C": 1}
    # One group, always right: Clopper and Pearson's interval of one of one.
    assert table.loc["B", ["low", "high"]].tolist() == pytest.approx([0.025, 1])
    assert (table["low"] < table["top1"])[["A", "C"]].all()


def test_bars_of_few_groups_that_are_all_right_have_a_width() -> None:
    videos = pd.DataFrame({"class": list("aabbcc"), "group": [1, 1, 1, 1, 1, 1], "correct": 1.0, "length": 30})
    table = analysis.accuracy_by(videos, "length")
    assert table[["videos", "groups"]].values.tolist() == [[6, 3]]
    assert table[["low", "high"]].values.tolist() == [pytest.approx([0.025 ** (1 / 3), 1])]


def test_confusions() -> None:
    counts = analysis.confusion_counts(TABLE, 3)
    assert counts.tolist() == [[1, 3, 0], [0, 2, 0], [1, 0, 1]]
    assert analysis.confusion_shares(counts).tolist() == [[0.25, 0.75, 0], [0, 1, 0], [0.5, 0, 0.5]]
    pairs = analysis.confused_pairs(TABLE)
    assert pairs.to_dict("records") == [
        {"class": "A", "predicted_class": "B", "videos": 1.5, "share": 0.75, "reverse": 0},
        {"class": "C", "predicted_class": "A", "videos": 0.5, "share": 0.5, "reverse": 0},
    ]


def test_class_table_names_the_usual_mistake() -> None:
    table = analysis.class_accuracy(TABLE)
    assert table["class"].tolist() == ["B", "C", "A"]
    assert table["taken_for"].tolist()[1:] == ["A", "B"]
    assert pd.isna(table["taken_for"][0])


def test_confused_classes_stand_side_by_side() -> None:
    confusion = np.eye(6)
    for a, b in ((0, 3), (3, 5), (1, 4)):
        confusion[a, b] = 0.5
    order = analysis.similarity_order(confusion).tolist()
    assert sorted(order) == list(range(6))
    position = {label: place for place, label in enumerate(order)}
    assert all(abs(position[a] - position[b]) == 1 for a, b in ((0, 3), (3, 5), (1, 4)))


@pytest.mark.parametrize("classes", [1, 2])
def test_order_of_few_classes(classes: int) -> None:
    assert sorted(analysis.similarity_order(np.eye(classes))) == list(range(classes))


def test_calibration() -> None:
    table = pd.DataFrame({"top1_probability": [0.95, 1.0, 0.55, 0.5], "correct": [True, False, True, True]})
    bins = analysis.calibration(table)
    # Of 15 bins, (7/15, 8/15] holds .5, (8/15, 9/15] .55, and (14/15, 1] the rest, of which one is right.
    assert bins["low"].tolist() == pytest.approx([7 / 15, 8 / 15, 14 / 15])
    assert bins["high"].tolist() == pytest.approx([8 / 15, 9 / 15, 1])
    assert bins["predictions"].tolist() == [1, 1, 2]
    assert bins["top1"].tolist() == pytest.approx([1, 1, 0.5])
    assert bins["confidence"].tolist() == pytest.approx([0.5, 0.55, 0.975])
    assert analysis.calibration_error(bins) == pytest.approx((0.5 + 0.45 + 2 * 0.475) / 4)


def test_length_bins_hold_equally_many() -> None:
    middles = analysis.length_bins(pd.Series(range(1, 101)), bins=4)
    assert middles.value_counts().between(24, 26).all()
    assert analysis.length_bins(pd.Series([7, 7, 7])).tolist() == [7, 7, 7]
