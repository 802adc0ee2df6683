"""Scores and their intervals, against values worked out by hand, scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from video3d import scores
from video3d.scores import Predictions


def predictions(labels, probabilities, groups=None, clips=None, clips_correct=None) -> Predictions:
    labels = np.asarray(labels)
    ones = np.ones(len(labels), int)
    return Predictions(
        labels=labels,
        groups=np.arange(len(labels)) if groups is None else np.asarray(groups),
        probabilities=np.asarray(probabilities, float),
        clips=ones if clips is None else np.asarray(clips),
        clips_correct=ones if clips_correct is None else np.asarray(clips_correct),
    )


def random_predictions(videos=400, classes=7, seed=0) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, videos)
    probabilities = rng.dirichlet(np.full(classes, 0.4), videos)
    probabilities[np.arange(videos), labels] += 0.3
    return predictions(labels, probabilities / probabilities.sum(1, keepdims=True), rng.integers(0, 5, videos))


def test_scores_worked_out_by_hand():
    given = predictions(
        labels=[0, 0, 1, 2],
        probabilities=[[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4]],
        clips=[2, 1, 3, 4],
        clips_correct=[2, 0, 1, 1],
    )
    values = {name: estimate.value for name, estimate in scores.evaluate(given).items()}
    assert values["top1"] == pytest.approx(2 / 4)
    assert values["top5"] == 1
    assert values["mean_class"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert values["macro_f1"] == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)
    assert values["clip_top1"] == pytest.approx(4 / 10)
    # One video to a bin of 1/15: 0.6 right, 0.8 wrong, 0.7 right, 0.5 wrong.
    assert values["calibration_error"] == pytest.approx((0.4 + 0.8 + 0.3 + 0.5) / 4)


def test_scores_agree_with_scikit_learn():
    given = random_predictions()
    values = {name: estimate.value for name, estimate in scores.evaluate(given).items()}
    labels, predicted = given.labels, given.predicted
    assert values["top1"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert values["mean_class"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    assert values["macro_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert values["top5"] == pytest.approx(metrics.top_k_accuracy_score(labels, given.probabilities, k=5))
    expected = metrics.confusion_matrix(labels, predicted)
    assert (scores.confusion_matrix(labels, predicted, 7) == expected).all()


def test_classes_without_a_test_video_count_in_no_mean():
    labels = [0, 0, 1, 1]
    probabilities = [[0.6, 0.1, 0.3], [0.6, 0.1, 0.3], [0.3, 0.6, 0.1], [0.1, 0.3, 0.6]]
    values = {name: e.value for name, e in scores.evaluate(predictions(labels, probabilities)).items()}
    assert values["mean_class"] == pytest.approx((1 + 0.5) / 2)
    assert values["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_top_k_breaks_ties_like_argmax():
    equal = np.full((3, 6), 1 / 6)
    assert scores.top_k_correct(equal, np.array([0, 1, 5]), 1).tolist() == [True, False, False]
    assert scores.top_k_correct(equal, np.array([0, 4, 5]), 5).tolist() == [True, True, False]


def test_calibration_error_is_the_weighted_gap_of_its_bins():
    given = random_predictions(seed=3)
    bins = scores.calibration_bins(given)
    assert sum(row["videos"] for row in bins) == len(given.labels)
    gap = sum(row["videos"] * abs(row["confidence"] - row["accuracy"]) for row in bins if row["videos"])
    assert scores.evaluate(given)["calibration_error"].value == pytest.approx(gap / len(given.labels))


@pytest.mark.parametrize(("confidence", "bin_index"), [(1.0, 14), (1 / 15, 0), (0.0, 0), (0.5, 7), (0.0667, 1)])
def test_calibration_bins_are_open_on_the_left(confidence, bin_index):
    assert scores._bin(np.array([confidence])).tolist() == [bin_index]


def test_interval_of_single_video_groups_agrees_with_scipy():
    correct = np.random.default_rng(1).random(200) < 0.4
    draws = scores.accuracy_draws(correct, np.zeros(200, int), np.arange(200))
    estimate = scores.interval(correct.mean(), draws)
    other = stats.bootstrap((correct.astype(float),), np.mean, method="percentile", rng=np.random.default_rng(2))
    assert estimate.low == pytest.approx(other.confidence_interval.low, abs=0.008)
    assert estimate.high == pytest.approx(other.confidence_interval.high, abs=0.008)


def test_interval_counts_a_group_once_however_many_clips_it_has():
    """Ten copies of every video in its group must leave the interval of the ten times smaller set."""
    correct = np.random.default_rng(4).random(60) < 0.5
    labels, groups = np.arange(60) % 3, np.arange(60) // 3
    one = scores.interval(0, scores.accuracy_draws(correct, labels, groups))
    ten = scores.interval(0, scores.accuracy_draws(*(np.repeat(a, 10) for a in (correct, labels, groups))))
    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))


def test_groups_are_numbered_within_their_class():
    """g01 of two classes is two groups: were it one, its two videos would always be drawn together."""
    correct, labels, groups = np.array([1.0, 0.0]), np.array([0, 1]), np.array([1, 1])
    assert set(scores.accuracy_draws(correct, labels, groups)) == {0.0, 0.5, 1.0}


def test_interval_covers_the_truth():
    """Groups of five clips that share their difficulty; 95 % of the intervals should cover the known mean."""
    rng = np.random.default_rng(5)
    labels, groups = np.repeat(np.arange(10), 35), np.tile(np.repeat(np.arange(7), 5), 10)
    covered = 0
    for _ in range(150):
        difficulty = rng.beta(1, 1, 70)
        correct = rng.random(350) < np.repeat(difficulty, 5)
        draws = scores.accuracy_draws(correct, labels, groups)
        estimate = scores.interval(correct.mean(), draws)
        covered += estimate.low <= 0.5 <= estimate.high
    assert 0.88 <= covered / 150 <= 0.99


def test_equal_input_gives_equal_intervals():
    assert scores.evaluate(random_predictions()) == scores.evaluate(random_predictions())


def test_paired_comparison_with_single_video_groups_is_mcnemars_exact_test():
    a = np.array([1] * 20 + [1] * 2 + [0] * 9 + [0] * 5)
    b = np.array([1] * 20 + [0] * 2 + [1] * 9 + [0] * 5)
    result = scores.compare(a, b, np.zeros(36, int), np.arange(36))
    assert (result.only_a, result.only_b) == (2, 9)
    assert result.difference.value == pytest.approx(7 / 36)
    assert result.p_value == pytest.approx(stats.binomtest(2, 11).pvalue)


def test_paired_comparison_by_groups_agrees_with_scipy():
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(40), 4)
    a = (rng.random(160) < 0.5).astype(float)
    b = (rng.random(160) < 0.6).astype(float)
    result = scores.compare(a, b, np.zeros(160, int), groups)
    per_group = (b - a).reshape(40, 4).sum(1)
    other = stats.permutation_test(
        (per_group, np.zeros(40)), lambda x, y: np.sum(x - y), permutation_type="samples",
        n_resamples=50_000, rng=np.random.default_rng(7),
    )  # fmt: skip
    assert result.p_value == pytest.approx(other.pvalue, abs=0.01)


def test_paired_comparison_of_equal_runs():
    correct = np.array([1, 0, 1, 1])
    result = scores.compare(correct, correct, np.zeros(4, int), np.arange(4))
    assert result.p_value == 1
    assert (result.difference.value, result.difference.low, result.difference.high) == (0, 0, 0)
