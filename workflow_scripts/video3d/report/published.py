"""Accuracies from the literature, and what was measured beside them."""

import math
from dataclasses import dataclass

from video3d.dataset.ucf101 import CLASSES
from video3d.report.headline import MEAN, Score
from video3d.report.results import Run


@dataclass(frozen=True)
class Published:
    """A number from elsewhere with what it takes to compare it: `split` is 1, 2, 3 or mean."""

    name: str
    top1: float
    split: str
    protocol: str
    remark: str


PUBLISHED = (
    Published(
        "Hara, Kataoka, Satoh, CVPR 2018: ResNet-18 from scratch", 0.424, MEAN, "sliding", "mean of the three splits"
    ),
    Published(
        "reference implementation, as published", 0.4398, "1", "segments",
        "mean of batch means, which counts some videos more than others; best epoch chosen on the test split",
    ),
    Published(
        "reference implementation, each video counted once", 1689 / 3783, "1", "segments",
        "recomputed from its log; best epoch chosen on the test split",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class PublishedComparison:
    """A published number beside ours: `difference` and `noise` are fractions, or None with the `reason` why not."""

    published: Published
    ours: float | None = None
    difference: float | None = None
    noise: float | None = None
    reason: str = ""

    @property
    def beyond_noise(self) -> bool:
        """Whether the difference is larger than the 95 % noise of a difference of two such results."""
        return self.difference is not None and abs(self.difference) > self.noise


def compare_with_published(run: Run, scores: list[Score]) -> list[PublishedComparison]:
    """Set every published number beside ours, or say why it cannot be.

    The noise is the 95 % half-width for the difference of two independent results that each have the sampling error
    of ours: the width of our interval, times the square root of 2. What other seeds would give is not in it.
    """
    return [_compare_with(published, run, scores) for published in PUBLISHED]


def best_comparable(comparisons: list[PublishedComparison], protocol: str) -> PublishedComparison | None:
    """Return the highest published number that can be compared, of those by `protocol` if there are any."""
    comparable = [each for each in comparisons if each.difference is not None]
    of_protocol = [each for each in comparable if each.published.protocol == protocol]
    return max(of_protocol or comparable, key=lambda each: each.published.top1, default=None)


def data_kind(run: Run) -> str:
    """Return full: the 101 classes of UCF101; subset: some of them; other: classes that UCF101 does not have."""
    if set(run.class_names) == set(CLASSES):
        return "full"
    return "subset" if set(run.class_names) <= set(CLASSES) else "other"


def _compare_with(published: Published, run: Run, scores: list[Score]) -> PublishedComparison:
    same = [score for score in scores if (score.protocol, score.split) == (published.protocol, published.split)]
    if data_kind(run) != "full":
        return PublishedComparison(published, reason="other data")
    if published.protocol not in run.protocols:
        reason = f"this run was not evaluated by the {published.protocol} protocol"
        return PublishedComparison(published, reason=reason)
    if not same or (published.split == MEAN and len(run.settings.splits) < 3):
        reason = "this run does not have all three splits" if published.split == MEAN else "this run has no split 1"
        return PublishedComparison(published, reason=reason)
    (ours,) = same
    noise = math.sqrt(2) * (ours.high - ours.low) / 2
    return PublishedComparison(published, ours.top1, ours.top1 - published.top1, noise)
