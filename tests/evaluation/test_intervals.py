"""Intervals, against published values, SciPy, values worked out by hand and a simulation."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from interval_coverage import ACCURACIES, CHANGES, CORRELATIONS, GROUPS, change, correct, group_sizes, simulate
from video3d.evaluation.intervals import Estimate, paired_difference, proportion


def bounds(estimate: Estimate) -> tuple[float, float]:
    return float(estimate.low), float(estimate.high)


@pytest.mark.parametrize("right", [0, 1, 24, 40, 48])
def test_single_videos_have_the_exact_interval_of_clopper_and_pearson(right):
    estimate = proportion(np.arange(48) < right, np.arange(48))
    exact = stats.binomtest(right, 48).proportion_ci(method="exact")
    assert estimate.value == right / 48
    assert bounds(estimate) == pytest.approx((exact.low, exact.high))


def test_single_videos_have_the_difference_of_bonett_and_price():
    """The example in the manual of the R package statpsych, ci.prop.ps(.05, 12, 4, 26, 6)."""
    differences = np.repeat([0, -1, 1, 0], [12, 4, 26, 6])
    assert bounds(paired_difference(differences, np.arange(48))) == pytest.approx((0.2548067, 0.6251933), abs=1e-6)


@pytest.mark.parametrize("groups", [1, 3, 7, 21, 700])
def test_where_all_are_right_or_wrong_each_group_counts_as_one_video(groups):
    """With r = n right, Clopper and Pearson's lower bound is the n-th root of 2.5 %."""
    cluster = np.repeat(np.arange(groups), 4)
    assert bounds(proportion(np.ones(4 * groups), cluster)) == pytest.approx((0.025 ** (1 / groups), 1))
    assert bounds(proportion(np.zeros(4 * groups), cluster)) == pytest.approx((0, 1 - 0.025 ** (1 / groups)))


def test_runs_that_agree_everywhere_have_an_interval_about_0():
    """Each of 7 groups counts as one video: no change, and the two that are added, p = 1 / 9 either way."""
    half = stats.norm.ppf(0.975) * (2 / 9 / 9) ** 0.5
    assert bounds(paired_difference(np.zeros(28), np.repeat(np.arange(7), 4))) == pytest.approx((-half, half))


def test_copies_of_a_video_within_its_group_add_little():
    """Ten copies of every video: the variance is that of single videos, and no video counts ten times."""
    right = np.random.default_rng(4).random(600) < 0.5
    one = proportion(right, np.arange(600))
    ten = proportion(np.repeat(right, 10), np.repeat(np.arange(600), 10))
    assert bounds(ten) == pytest.approx(bounds(one), abs=2e-4)


def test_the_effective_size_worked_out_by_hand():
    """Groups of 2 with 2, 1, 0, 2 right: p = 5/8.

    Their sums differ by 3/32, -1/32, -5/32 and 3/32 of the mean from p: variance 4/3 · 44/1024 = 11/192. One video has
    15/64 · 8/7 = 15/56. Three groups have a video that is right and two one that is wrong: the estimate counts twice,
    the 1/4 of groups that are all alike once.
    """
    right, group = np.array([1, 1, 1, 0, 0, 0, 1, 1]), np.repeat(np.arange(4), 2)
    size = 3 / (2 * (11 / 192) / (15 / 56) + 1 / 4)
    expected = stats.beta.ppf([0.025, 0.975], [5 / 8 * size, 5 / 8 * size + 1], [3 / 8 * size + 1, 3 / 8 * size])
    assert bounds(proportion(right, group)) == pytest.approx(tuple(expected))


def test_means_over_seeds_are_no_surer_than_single_answers():
    fractions = np.array([1, 0.5, 0.5, 0, 1, 0.5] * 20)
    estimate = proportion(fractions, np.arange(120))
    assert estimate.value == fractions.mean()
    exact = stats.binomtest(70, 120).proportion_ci(method="exact")
    assert bounds(estimate) == pytest.approx((exact.low, exact.high))


def test_the_order_of_videos_and_the_numbers_of_groups_do_not_matter():
    rng = np.random.default_rng(1)
    group = group_sizes(rng, 9)
    right, order = rng.random(len(group)) < 0.7, rng.permutation(len(group))
    expected = bounds(proportion(right, group))
    assert bounds(proportion(right[order], 100 - 7 * group[order])) == pytest.approx(expected)


def test_strata_take_out_the_difference_between_them():
    """Two populations, all right and half right: as one they look less sure than they are."""
    right, group = np.repeat([1, 1, 1, 0], 50), np.repeat(np.arange(40), 5)
    together, apart = proportion(right, group), proportion(right, group, strata=np.repeat([0, 1], 100))
    assert together.value == apart.value == 0.75
    assert apart.high - apart.low < together.high - together.low


def test_several_samples_at_once():
    rng = np.random.default_rng(2)
    group = group_sizes(rng, 5)
    samples = np.concatenate([correct(rng, group, 0.9, 0.3, 20), np.ones((1, len(group)))])
    at_once = proportion(samples, group)
    one_by_one = [bounds(proportion(sample, group)) for sample in samples]
    assert list(zip(at_once.low, at_once.high, strict=True)) == [pytest.approx(each) for each in one_by_one]


def test_no_interval_is_of_width_zero():
    for groups, accuracy in product(GROUPS, (0.9, 0.995, 1)):
        rng = np.random.default_rng(groups)
        group = group_sizes(rng, groups)
        estimate = proportion(correct(rng, group, accuracy, 0.3, 50), group)
        assert (estimate.high - estimate.low > 1 / len(group)).all()
        assert ((estimate.low <= estimate.value) & (estimate.value <= estimate.high)).all()


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize(
    ("draw", "interval", "parameters"), [(correct, proportion, ACCURACIES), (change, paired_difference, CHANGES)]
)
def test_intervals_cover_the_truth(draw, interval, parameters, groups):
    coverage = {
        (parameter, correlation): simulate(draw, (groups, parameter, correlation), interval, 20, 50)["coverage"]
        for parameter, correlation in product(parameters, CORRELATIONS)
    }
    assert min(coverage.values()) >= 0.93, coverage


@pytest.mark.parametrize("accuracies", [(0.5, 0.55, 0.6), (0.9, 0.95, 1), (0.98, 0.99, 0.995)])
@pytest.mark.parametrize("groups", [3, 21])
def test_the_interval_of_a_mean_of_splits_covers_the_truth(accuracies, groups):
    """Splits of unequal size that count alike; the last has twice as many groups."""
    rng = np.random.default_rng(groups)
    covered = []
    for _ in range(20):
        sizes = [group_sizes(rng, groups), group_sizes(rng, groups), group_sizes(rng, 2 * groups)]
        samples = [correct(rng, group, p, 0.3, 50) for group, p in zip(sizes, accuracies, strict=True)]
        strata = np.repeat([0, 1, 2], [len(group) for group in sizes])
        weights = np.concatenate([np.full(len(group), 1 / len(group)) for group in sizes])
        group = np.concatenate(sizes) + 1000 * strata
        estimate = proportion(np.concatenate(samples, axis=1), group, strata, weights)
        covered.append((estimate.low <= np.mean(accuracies)) & (np.mean(accuracies) <= estimate.high))
    assert np.mean(covered) >= 0.93
