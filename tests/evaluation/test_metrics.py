"""Scores and their intervals, against values worked out by hand, scikit-learn and SciPy."""

import numpy as np
import pytest
import sklearn.metrics
from scipy import stats

from video3d.evaluation import metrics
from video3d.evaluation.intervals import proportion
from video3d.evaluation.metrics import Predictions


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
    values = {name: estimate.value for name, estimate in metrics.evaluate(given).items()}
    assert values["top1"] == pytest.approx(2 / 4)
    assert values["top5"] == 1
    assert values["mean_class"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert values["macro_f1"] == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)
    assert values["clip_top1"] == pytest.approx(4 / 10)
    # One video to a bin of 1/15: 0.6 right, 0.8 wrong, 0.7 right, 0.5 wrong.
    assert values["calibration_error"] == pytest.approx((0.4 + 0.8 + 0.3 + 0.5) / 4)


def test_scores_agree_with_scikit_learn():
    given = random_predictions()
    values = {name: estimate.value for name, estimate in metrics.evaluate(given).items()}
    labels, predicted = given.labels, given.predicted
    assert values["top1"] == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert values["mean_class"] == pytest.approx(sklearn.metrics.balanced_accuracy_score(labels, predicted))
    assert values["macro_f1"] == pytest.approx(sklearn.metrics.f1_score(labels, predicted, average="macro"))
    assert values["top5"] == pytest.approx(sklearn.metrics.top_k_accuracy_score(labels, given.probabilities, k=5))
    expected = sklearn.metrics.confusion_matrix(labels, predicted)
    assert (metrics.confusion_matrix(labels, predicted, 7) == expected).all()


def test_classes_without_a_test_video_count_in_no_mean():
    labels = [0, 0, 1, 1]
    probabilities = [[0.6, 0.1, 0.3], [0.6, 0.1, 0.3], [0.3, 0.6, 0.1], [0.1, 0.3, 0.6]]
    values = {name: e.value for name, e in metrics.evaluate(predictions(labels, probabilities)).items()}
    assert values["mean_class"] == pytest.approx((1 + 0.5) / 2)
    assert values["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_top_k_breaks_ties_like_argmax():
    equal = np.full((3, 6), 1 / 6)
    assert metrics.top_k_correct(equal, np.array([0, 1, 5]), 1).tolist() == [True, False, False]
    assert metrics.top_k_correct(equal, np.array([0, 4, 5]), 5).tolist() == [True, True, False]


def test_calibration_error_is_the_weighted_gap_of_its_bins():
    given = random_predictions(seed=3)
    bins = metrics.calibration_bins(given.probabilities.max(axis=1), given.predicted == given.labels)
    assert sum(row["videos"] for row in bins) == len(given.labels)
    gap = sum(row["videos"] * abs(row["confidence"] - row["accuracy"]) for row in bins if row["videos"])
    assert metrics.evaluate(given)["calibration_error"].value == pytest.approx(gap / len(given.labels))


@pytest.mark.parametrize(("confidence", "bin_index"), [(1.0, 14), (1 / 15, 0), (0.0, 0), (0.5, 7), (0.0667, 1)])
def test_calibration_bins_are_open_on_the_left(confidence, bin_index):
    assert metrics._bin(np.array([confidence])).tolist() == [bin_index]


def test_accuracies_have_an_interval_where_everything_is_right():
    labels = np.repeat(np.arange(3), 8)
    given = predictions(labels, np.eye(3)[labels], groups=np.tile(np.repeat([1, 2], 4), 3))
    found = metrics.evaluate(given)
    for name in ("top1", "top5", "mean_class", "clip_top1"):  # 6 groups count as 6 videos
        assert (found[name].low, found[name].high) == (pytest.approx(0.025 ** (1 / 6)), 1), name


def test_the_mean_over_classes_weighs_them_alike_and_draws_their_groups_apart():
    """Six videos of a class that is always right, two of one that never is: only the groups within tell how sure."""
    labels, groups = np.repeat([0, 1], [6, 2]), np.arange(8)
    found = metrics.evaluate(predictions(labels, np.eye(2)[np.zeros(8, int)], groups))["mean_class"]
    expected = proportion(labels == 0, groups, strata=labels, weights=np.repeat([1 / 6, 1 / 2], [6, 2]))
    assert found == expected
    assert found.value == 0.5


def test_the_bootstrap_counts_a_group_once_however_many_clips_it_has():
    """Ten copies of every video in its group must leave the interval of the ten times smaller set."""
    one = random_predictions(videos=60)
    copies = {name: np.repeat(getattr(one, name), 10, axis=0) for name in vars(one)}
    few, many = metrics.evaluate(one)["macro_f1"], metrics.evaluate(Predictions(**copies))["macro_f1"]
    assert (many.value, many.low, many.high) == pytest.approx((few.value, few.low, few.high))


def test_the_bootstrap_agrees_with_scipy():
    """Macro F1 of two classes, every video in a group of its own."""
    given = random_predictions(videos=200, classes=2)
    given = predictions(given.labels, given.probabilities)

    def f1(labels, predicted, axis):
        pairs = zip(np.atleast_2d(labels), np.atleast_2d(predicted), strict=True)
        return np.array([sklearn.metrics.f1_score(*pair, average="macro") for pair in pairs])

    other = stats.bootstrap(
        (given.labels, given.predicted), f1, paired=True, method="percentile", n_resamples=2000,
        rng=np.random.default_rng(2),
    )  # fmt: skip
    found = metrics.evaluate(given)["macro_f1"]
    assert (found.low, found.high) == pytest.approx(tuple(map(float, other.confidence_interval)), abs=0.01)


def test_groups_are_numbered_within_their_class():
    """g01 of two classes is two groups."""
    assert metrics.clusters(np.array([0, 1, 0, 1]), np.array([1, 1, 1, 2])).tolist() == [0, 1, 0, 2]


def test_equal_input_gives_equal_intervals():
    assert metrics.evaluate(random_predictions()) == metrics.evaluate(random_predictions())


def test_sign_flips_of_single_video_groups_are_mcnemars_exact_test():
    differences = np.array([0] * 20 + [-1] * 2 + [1] * 9 + [0] * 5)
    assert metrics.sign_flip_p(differences, np.arange(36)) == pytest.approx(stats.binomtest(2, 11).pvalue)


def test_sign_flips_of_groups_agree_with_scipy():
    rng = np.random.default_rng(6)
    differences = (rng.random(160) < 0.6).astype(float) - (rng.random(160) < 0.5)
    per_group = differences.reshape(40, 4).sum(1)
    other = stats.permutation_test(
        (per_group, np.zeros(40)), lambda x, y: np.sum(x - y), permutation_type="samples",
        n_resamples=50_000, rng=np.random.default_rng(7),
    )  # fmt: skip
    found = metrics.sign_flip_p(differences, np.repeat(np.arange(40), 4))
    assert found == pytest.approx(other.pvalue, abs=0.01)


def test_sign_flips_of_equal_runs():
    assert metrics.sign_flip_p(np.zeros(4), np.arange(4)) == 1
