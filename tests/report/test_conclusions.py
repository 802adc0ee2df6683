"""What the report says in words, from numbers made by hand."""

from types import SimpleNamespace

import pandas as pd
import pytest

from video3d.report import conclusions
from video3d.report.headline import Score
from video3d.report.published import Published, PublishedComparison


def score(top1: float, low: float, high: float) -> Score:
    nan = float("nan")
    return Score("segments", "mean", top1, low, high, nan, nan, nan, nan, 100, 0, 1)


TEST = score(0.35, 0.33, 0.37)


def test_better_than_guessing_only_if_the_interval_says_so() -> None:
    assert conclusions.judge_chance(TEST, 101) == "Better than guessing, which gives 1.0 %."
    said = conclusions.judge_chance(TEST, 3)
    assert said == "Not shown to be better than guessing: that gives 33.3 %, and the 95 % interval reaches it."


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (0.76, "Overfits by 41 points: training 76.0 % of the clips of the last epoch, test 35.0 % of the videos."),
        (0.36, "No overfitting is seen: training 36.0 % of the clips of the last epoch, test 35.0 % of the videos."),
        (0.20, "No overfitting is seen: training 20.0 % of the clips of the last epoch, test 35.0 % of the videos."),
        (None, ""),
    ],
)
def test_gap_between_training_and_test(training: float | None, said: str) -> None:
    assert conclusions.judge_gap(training, TEST) == said


def trained(seeds: dict[int, float], models: int, **train: float) -> SimpleNamespace:
    rows = [(1, seed, epoch, top1 * epoch / 2) for seed, top1 in seeds.items() for epoch in (2, 1)]
    return SimpleNamespace(
        models=dict.fromkeys(range(models)),
        trainings={(1, seed): {"train": train} for seed in seeds},
        history=pd.DataFrame(rows, columns=["split", "seed", "epoch", "top1"]),
    )


def test_training_accuracy_is_that_of_the_last_epoch_of_all_networks() -> None:
    assert conclusions.training_top1(trained({7: 0.6, 8: 0.8}, 2)) == pytest.approx(0.7)
    assert conclusions.training_top1(trained({7: 0.6}, 2)) is None  # the other network was given
    assert conclusions.training_top1(trained({}, 2)) is None
    assert conclusions.training_top1(trained({7: 0.6}, 1, mixup=0.2)) is None  # its clips are of two classes each


def test_worst_and_best_class() -> None:
    classes = pd.DataFrame(
        {"class": ["A", "B"], "top1": [1, 0.25], "videos": [8, 4], "taken_for": [None, "A"],
         "taken_for_share": [float("nan"), 0.5]}
    )  # fmt: skip
    said = conclusions.describe_classes(classes)
    assert said == "Worst class: B, 25.0 % of 4 videos, most often taken for A (50.0 %); best: A, 100.0 %."
    assert conclusions.describe_classes(classes[:1]) == "No test video was wrong."


def test_confidence_is_judged_by_the_interval() -> None:
    said = conclusions.judge_confidence(0.8, TEST)
    assert said == ("Too sure: by the probabilities that it gives, 80.0 % of its answers would be right; 35.0 % are.")
    assert conclusions.judge_confidence(0.2, TEST).startswith("Too cautious: by")
    assert conclusions.judge_confidence(0.36, TEST) == ""


def test_published_numbers_are_sorted_by_the_noise() -> None:
    paper = Published("Paper", 0.424, "mean", "segments", "")
    comparisons = [
        PublishedComparison(paper, 0.35, -0.074, 0.021),
        PublishedComparison(Published("Log", 0.36, "1", "segments", ""), 0.35, -0.01, 0.021),
        PublishedComparison(Published("Elsewhere", 0.5, "mean", "sliding", ""), reason="other data"),
    ]
    assert conclusions.judge_published(comparisons) == [
        "Differs by more than the noise from Paper (42.4 %: −7.4 ± 2.1 points).",
        "Agrees within the noise with Log (36.0 %: −1.0 ± 2.1 points).",
    ]
    assert conclusions.judge_published(comparisons[2:]) == []


def test_findings_of_charts() -> None:
    history = pd.DataFrame({"epoch": [1, 1, 2, 2], "loss": [4, 2, 1, 2], "top1": [0.1, 0.2, 0.7, 0.8]})
    assert conclusions.describe_curves(history) == (
        "From epoch 1 to epoch 2 the training loss goes from 3.00 to 1.50, and top-1 of the training clips from 15.0 % "
        "to 75.0 %."
    )
    assert conclusions.describe_curves(history[:0]) == "The evaluated weights were not trained in this run."
    pairs = pd.DataFrame({"class": ["A"], "predicted_class": ["B"], "share": [0.5], "reverse": [0.25]})
    assert conclusions.describe_confusion(pairs) == (
        "Most frequent confusion: A is taken for B in 50.0 % of its videos, the other way round in 25.0 %."
    )
    assert conclusions.describe_confusion(pairs[:0]) == "No class was taken for another."
    table = pd.DataFrame({"top1": [0.2, 0.6]})
    assert conclusions.describe_spread(table, "group") == "By group, accuracy is between 20.0 % and 60.0 %."
    assert conclusions.describe_spread(table[:0], "group") == "By group: left out, as its points have too few videos."
    stages = pd.DataFrame(
        {"rule": ["train", "evaluate", "total"], "seconds": [60, 30, 90], "time": ["0:01:00", "0:00:30", "0:01:30"],
         "gpu_hours": ["none: CPU", "none: CPU", "none: CPU"]}
    )  # fmt: skip
    assert (
        conclusions.describe_cost(stages) == "Computed in 0:01:30 hours, of which train took 0:01:00; no GPU was used."
    )
    assert conclusions.describe_cost(stages.assign(gpu_hours="0.5")).endswith("0:01:00; 0.5 GPU-hours.")
    differences = pd.DataFrame(
        {"run": ["b"], "protocol": ["segments"], "difference": [0.02], "low": [-0.01], "high": [0.05]}
    )
    assert conclusions.describe_differences(differences) == (
        "To run b by segments: +2.0 points (95 % interval −1.0 to +5.0)."
    )
