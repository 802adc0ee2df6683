"""Simulate how often the 95 % intervals of video3d.evaluation.intervals cover the truth, and how wide they are.

    PYTHONPATH=workflow_scripts python tools/interval_coverage.py

prints the coverage in every cell, and the mean width as a ratio to that of the percentile bootstrap over whole groups.
Groups hold 1 to 7 videos. How likely a group's videos are right is drawn from a beta distribution whose mean is the
accuracy: the answers for two videos of a group then correlate by `correlation`. For two runs, a Dirichlet distribution
over the three cases (only one run is right, only the other, they agree) does the same.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from video3d.evaluation.intervals import Estimate, paired_difference, proportion

GROUPS = (3, 5, 7, 21, 100, 700)
CORRELATIONS = (0, 0.1, 0.3, 0.6)
ACCURACIES = (0.3, 0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.995)
CHANGES = ((0.005, 0.005), (0.02, 0.005), (0.03, 0), (0.05, 0.05), (0.1, 0.02), (0.2, 0.05), (0.3, 0.3), (0.5, 0.1))


def group_sizes(rng: np.random.Generator, groups: int) -> np.ndarray:
    """Return the group of every video, int (videos,): 1 to 7 videos in each."""
    return np.repeat(np.arange(groups), rng.integers(1, 8, groups))


def answers(
    rng: np.random.Generator, group: np.ndarray, probabilities: tuple[float, ...], correlation: float, samples: int
) -> np.ndarray:
    """Return which of the cases of `probabilities`, that sum to 1, each video falls into: int (samples, videos)."""
    shape = (samples, group.max() + 1)
    of_group = [np.full(shape, probability) for probability in probabilities]
    if correlation:
        parts = [rng.standard_gamma(each * (1 - correlation) / correlation) for each in of_group]
        of_group = parts / np.maximum(np.sum(parts, axis=0), 1e-300)
    case, below = rng.random((samples, len(group))), np.cumsum(of_group, axis=0)[:-1]
    return sum((case > limit[:, group]).astype(int) for limit in below)


def correct(rng: np.random.Generator, group: np.ndarray, accuracy: float, correlation: float, samples: int):
    """Return which videos are right: int (samples, videos)."""
    return answers(rng, group, (1 - accuracy, accuracy), correlation, samples)


def change(rng: np.random.Generator, group: np.ndarray, probabilities: tuple, correlation: float, samples: int):
    """Return one run's answers minus the other's, -1, 0 or 1: int (samples, videos)."""
    won, lost = probabilities
    return answers(rng, group, (lost, 1 - won - lost, won), correlation, samples) - 1


def simulate(
    draw: Callable, cell: tuple[int, object, float], interval: Callable[..., Estimate], designs: int, samples: int
) -> dict[str, float]:
    """Return the share of intervals that cover the truth and their mean width, over `designs` sets of groups."""
    groups, parameter, correlation = cell
    truth = parameter if draw is correct else parameter[0] - parameter[1]
    covered, widths = [], []
    for design in range(designs):
        rng = np.random.default_rng(
            [design, groups, *(round(1000 * x) for x in np.ravel(parameter)), round(10 * correlation)]
        )
        group = group_sizes(rng, groups)
        estimate = interval(draw(rng, group, parameter, correlation, samples), group)
        covered.append((estimate.low <= truth) & (truth <= estimate.high))
        widths.append(estimate.high - estimate.low)
    return {"coverage": np.mean(covered), "width": np.mean(widths)}


def bootstrap(values: np.ndarray, group: np.ndarray, replicates: int = 1000) -> Estimate:
    """Return the interval of the percentile bootstrap over whole groups."""
    sizes = np.bincount(group)
    drawn = np.random.default_rng(0).multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), replicates)
    sums = np.add.reduceat(values, np.flatnonzero(np.diff(group, prepend=-1)), axis=1)
    low, high = np.quantile(sums @ drawn.T / (drawn @ sizes), [0.025, 0.975], axis=1)
    return Estimate(values.mean(axis=1), low, high)


def main() -> None:
    """Print both tables."""
    for draw, interval, parameters in ((correct, proportion, ACCURACIES), (change, paired_difference, CHANGES)):
        rows = []
        for groups, parameter, correlation in product(GROUPS, parameters, CORRELATIONS):
            cell = (groups, parameter, correlation)
            ours, usual = simulate(draw, cell, interval, 40, 100), simulate(draw, cell, bootstrap, 5, 40)
            row = {"groups": groups, draw.__name__: parameter, "correlation": correlation, **ours}
            row |= {"of bootstrap": usual["coverage"], "relative width": ours["width"] / max(usual["width"], 1e-9)}
            rows.append(row)
        table = pd.DataFrame(rows)
        print(table.to_string(index=False, float_format="{:.3f}".format))
        print(
            f"{interval.__name__}: lowest coverage {table['coverage'].min():.3f}, mean {table['coverage'].mean():.3f}"
        )


if __name__ == "__main__":
    main()
