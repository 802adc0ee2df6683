"""The section of a class: its worst answers, against a table made by hand."""

import pandas as pd

from video3d.report import class_details
from video3d.report.clip_sprites import ClipName

ANSWERS = pd.DataFrame(
    [
        ("a", 1, 7, "A", True, 0.9),
        ("a", 1, 8, "A", True, 0.5),
        ("b", 1, 7, "B", False, 0.6),
        ("b", 1, 8, "B", False, 0.8),
        ("c", 2, 7, "C", False, 0.7),
        ("c", 2, 8, "A", True, 0.4),
    ],
    columns=["video", "split", "seed", "predicted_class", "correct", "top1_probability"],
)
ANSWERS["class"] = "A"
ANSWERS["top1_class"] = ANSWERS["predicted_class"]
ANSWERS[["top2_class", "top2_probability"]] = None


def test_surest_mistakes_come_first_then_the_least_sure_right_answers() -> None:
    worst = class_details.worst_answers(ANSWERS, 5)
    assert [(each.clip.video, each.seed, each.correct) for each in worst] == [
        ("b", 8, False),
        ("c", 7, False),
        ("a", 8, True),
    ]
    assert worst[0].top == [("B", 0.8)]
    assert worst[1].clip == ClipName("A", "c", 2)


def test_every_class_shows_its_worst_before_any_shows_its_second() -> None:
    details = [
        class_details.ClassDetails(
            name, {}, [], [], class_details.worst_answers(ANSWERS[ANSWERS["video"].isin(videos)], 2)
        )
        for name, videos in (("A", {"b", "a"}), ("B", {"c"}))
    ]
    assert [clip.video for clip in class_details.list_clips(details)] == ["b", "c", "a"]


def test_few_classes_show_more() -> None:
    assert [class_details.number_of_worst(classes) for classes in (1, 20, 101)] == [6, 5, 3]


def test_confusions_in_either_direction() -> None:
    run = type("Run", (), {"first_predictions": ANSWERS})
    classes = pd.DataFrame({"class": ["A"], "top1": [0.5]})
    pairs = pd.DataFrame({"class": ["A", "B"], "predicted_class": ["B", "A"], "share": [0.3, 0.2]})
    (details,) = class_details.collect_details(run, classes, pairs, 1)
    assert [pair["share"] for pair in details.taken_for] == [0.3]
    assert [pair["share"] for pair in details.taken_for_it] == [0.2]
