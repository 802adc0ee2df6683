"""Accuracies from the literature, to compare with."""

from dataclasses import dataclass

MEAN = "mean"


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
