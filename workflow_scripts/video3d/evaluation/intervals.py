"""95 % intervals of accuracies, and of their differences, for videos that come in groups.

The videos of a group are cut from one source recording and share its actor, place and camera: a group is a cluster, and
its videos tell less than as many independent ones. How much less is the effective sample size, the number of
independent videos that would give a mean as sure as this one. With it, exact methods for independent answers serve, and
these have a width where everything is right, everything is wrong or two runs agree on everything.

- An accuracy: Clopper and Pearson's interval with the effective sample size. Source: Korn and Graubard, "Confidence
  intervals for proportions with small expected number of positive counts estimated from survey data", Survey
  Methodology 24 (1998) 193–201.
- A difference of two runs on the same videos: Bonett and Price's adjusted Wald interval with the effective sample size.
  Source: Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
  data", Journal of Educational and Behavioral Statistics 37 (2012) 479–488.

Our own is what happens where the sample says little about its clusters (`_effective_size`), in the place of Korn and
Graubard's adjustment by Student's t, which cannot help where no group, or a single one, holds a mistake. How often the
intervals cover the truth, and how wide they are, is simulated in tools/interval_coverage.py.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; arrays where it was made for several samples at once."""

    value: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray


def proportion(
    correct: np.ndarray, clusters: np.ndarray, strata: np.ndarray | None = None, weights: np.ndarray | None = None
) -> Estimate:
    """Return the weighted mean of `correct` with its interval.

    Args:
        correct: float (..., videos) in 0..1; a value between 0 and 1 is a mean over seeds or clips.
        clusters: int (videos,), which videos belong together.
        strata: int (videos,), which clusters were drawn from one population; each is of one stratum. None: all are.
        weights: float (videos,); equal ones by default.
    """
    mean, _, size = _effective_size(correct, clusters, strata, weights)
    right, wrong = mean * size, (1 - mean) * size
    # The function has no value where one of its arguments is 0.
    low = np.where(right > 0, betaincinv(np.where(right > 0, right, 1), wrong + 1, TAIL), 0)
    high = np.where(wrong > 0, betaincinv(right + 1, np.where(wrong > 0, wrong, 1), 1 - TAIL), 1)
    return Estimate(mean[()], low[()], high[()])


def paired_difference(differences: np.ndarray, clusters: np.ndarray) -> Estimate:
    """Return the mean of `differences`, float (..., videos) in -1..1, with its interval.

    Each is one run's answer for a video (1 is right, 0 is wrong, a mean over seeds lies between) minus another's.
    `clusters`, int (videos,), says which videos belong together. The interval is cut off at -1 and 1.
    """
    mean, changed, size = _effective_size(differences, clusters)
    # Two more videos, of which each run alone has one right.
    centre = mean * size / (size + 2)
    square = (changed * size + 2) / (size + 2)
    half = ndtri(1 - TAIL) * np.sqrt((square - centre**2) / (size + 2))
    return Estimate(mean[()], np.maximum(centre - half, -1)[()], np.minimum(centre + half, 1)[()])


def _effective_size(
    values: np.ndarray, clusters: np.ndarray, strata: np.ndarray | None = None, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of `values`, float (..., videos) in -1..1, that of their amounts, and the effective sample size.

    The size is the variance of one value over the variance of the mean, which is that of a ratio, linearised, with
    whole clusters drawn from each stratum; a cluster that is alone in its stratum counts with its distance from the
    mean of all. It is never more than that of independent videos.

    Where few clusters differ from the rest, that variance is a guess, and 0 where none does. So it is averaged with the
    one that the mean has if the videos of a cluster are all alike: that one counts as a single cluster, the estimate as
    the number of clusters with a video that is right, or with one that is wrong, whichever are fewer. (Of a difference:
    with a video that the runs answer alike, or with one that they do not.) The size is then the number of clusters
    (less, if their weights are unequal) where all values are equal, and the estimate's own where all kinds are many.
    """
    strata = np.zeros(len(clusters), int) if strata is None else strata
    weights = np.ones(len(clusters)) if weights is None else np.asarray(weights, float)
    order = np.lexsort((clusters, strata))
    values, weights = np.asarray(values, float)[..., order], weights[order]
    starts = np.unique(np.stack([strata[order], clusters[order]]), axis=1, return_index=True)[1]

    def by_cluster(each: np.ndarray) -> np.ndarray:
        return np.add.reduceat(each, starts, axis=-1)

    amounts = abs(values)
    mean, amount = (np.average(each, axis=-1, weights=weights) for each in (values, amounts))
    weights = weights / weights.sum()
    share = by_cluster(weights)
    sums = by_cluster(values * weights)
    _, first, stratum, siblings = np.unique(
        strata[order][starts], return_index=True, return_inverse=True, return_counts=True
    )
    centre = np.add.reduceat(sums, first, axis=-1) / np.add.reduceat(share, first)
    centre = np.where(siblings > 1, centre, mean[..., None])
    residuals = sums - centre[..., stratum] * share
    variance = (residuals**2 * (siblings / np.maximum(siblings - 1, 1))[stratum]).sum(axis=-1)

    independent, alike = (weights**2).sum(), (share**2).sum()
    spread = amount - mean**2
    known = (spread > 1e-12) & (len(starts) > 1)
    # 1 - independent: the plain variance of n values over that with n - 1, so that single videos give exactly n.
    estimated = variance * (1 - independent) / np.where(known, spread, 1)
    estimated = np.where(known, np.maximum(estimated, independent), alike)
    telling = np.minimum(*(np.minimum(by_cluster(kind), 1).sum(axis=-1) for kind in (amounts, 1 - amounts)))
    return mean, amount, (telling + 1) / (telling * estimated + alike)
