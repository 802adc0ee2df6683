"""The answer in a few lines: what was measured, beside what was published, and what must be said first."""

import math
from dataclasses import dataclass

import pandas as pd

from video3d.dataset.ucf101 import CLASSES
from video3d.report.provenance import validation
from video3d.report.published import MEAN, PUBLISHED, Published
from video3d.report.results import Run

FAULTS = ("missing", "unreadable", "damaged")  # in audit.csv; such videos are not used
TEST_VIDEOS = {1: 3783, 2: 3734, 3: 3696}  # of UCF101's official splits


@dataclass(frozen=True)
class Score:
    """Top-1 by one protocol on one split (`split` 1, 2, 3) or on all of them (`split` mean); fractions in 0..1.

    For several seeds, the score and the interval of a split are the means of its seeds'. `std_seeds` and `std_splits`
    are accuracy.csv's standard deviations of the mean; NaN for a split, and where there is one seed or one split.
    `left_out` is None where nobody counted.
    """

    protocol: str
    split: str
    top1: float
    low: float
    high: float
    std_seeds: float
    std_splits: float
    top5: float
    mean_class: float
    videos: int
    left_out: int | None
    seeds: int


@dataclass(frozen=True)
class Comparison:
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


def scores(run: Run) -> list[Score]:
    """Per protocol: a score of every split, averaged over its seeds, then that of the mean of the splits."""
    table = run.accuracy
    return [
        _score(protocol, split, table[(table["protocol"] == protocol) & (table["split"] == split)], run)
        for protocol in run.protocols
        for split in [*(str(split) for split in run.settings.splits), MEAN]
        if ((table["protocol"] == protocol) & (table["split"] == split)).any()
    ]


def _score(protocol: str, split: str, rows: pd.DataFrame, run: Run) -> Score:
    mean = rows.mean(numeric_only=True)
    return Score(
        protocol=protocol,
        split=split,
        top1=mean["top1"],
        low=mean["top1_low"],
        high=mean["top1_high"],
        std_seeds=mean.get("top1_std_seeds", math.nan),
        std_splits=mean.get("top1_std_splits", math.nan),
        top5=mean.get("top5", math.nan),
        mean_class=mean.get("mean_class", math.nan),
        videos=round(mean["videos"]),
        left_out=None if pd.isna(mean.get("left_out")) else round(mean["left_out"]),
        seeds=len(run.settings.seeds),
    )


def compare(run: Run, measured: list[Score]) -> list[Comparison]:
    """Set every published number beside ours, or say why it cannot be.

    The noise is the 95 % half-width for the difference of two independent results that each have the sampling error
    of ours: the width of our interval, times the square root of 2. What other seeds would give is not in it.
    """
    reason = "" if data_kind(run) == "full" else "other data"
    return [_compare(published, run, measured, reason) for published in PUBLISHED]


def _compare(published: Published, run: Run, measured: list[Score], reason: str) -> Comparison:
    same = [s for s in measured if (s.protocol, s.split) == (published.protocol, published.split)]
    if not reason and published.protocol not in run.protocols:
        reason = f"this run was not evaluated by the {published.protocol} protocol"
    elif not reason and (not same or (published.split == MEAN and len(run.settings.splits) < 3)):
        reason = "this run does not have all three splits" if published.split == MEAN else "this run has no split 1"
    if reason:
        return Comparison(published, reason=reason)
    ours = same[0]
    return Comparison(
        published, ours.top1, ours.top1 - published.top1, math.sqrt(2) * (ours.high - ours.low) / 2, reason=""
    )


def data_kind(run: Run) -> str:
    """full: the 101 classes of UCF101; subset: some of them; other: classes that UCF101 does not have."""
    if set(run.classes) == set(CLASSES):
        return "full"
    return "subset" if set(run.classes) <= set(CLASSES) else "other"


def notices(run: Run, measured: list[Score], audit: pd.DataFrame) -> list[str]:
    """What a reader must know before any number: the run's own note, then what is not as in full UCF101.

    `audit` is audit.csv: its faulty videos are in no split table.
    """
    settings = run.settings
    said = leaks(run)
    said += [settings.report.note] if settings.report.note else []
    kind, classes = data_kind(run), len(run.classes)
    chance = f"guessing gives {percent(1 / classes)}"
    if kind == "other":
        said.append(f"Not UCF101: data set {settings.dataset.name} with {classes} classes; {chance}.")
    if kind == "subset":
        said.append(f"A subset of UCF101: {classes} of 101 classes; {chance}. Not comparable with published numbers.")
    faulty = int(audit["status"].isin(FAULTS).sum())
    if faulty:
        tested = {s.split: s.left_out for s in measured if s.split != MEAN and s.left_out}
        where = ", ".join(f"{count} of the test videos of split {split}" for split, count in tested.items())
        said.append(
            f"{faulty} faulty videos were left out" + (f", {where}" if where else "") + "; the audit names them."
        )
    if len(settings.splits) < 3:
        splits = ", ".join(map(str, settings.splits))
        said.append(f"Only {len(settings.splits)} of the three official splits: {splits}.")
    if groups := validation(run):
        said.append(f"Held out of the training list for validation, and not trained on: {groups}.")
    return said + origins(run)


def leaks(run: Run) -> list[str]:
    """That networks were tested on what they were trained on: what must be said before anything else."""
    said = []
    for (split, seed), model in run.models.items():
        origin = model["weights"]
        videos, groups = origin.get("test_videos_trained_on"), origin.get("test_groups_trained_on")
        if videos or groups:
            said.append(
                f"NOT A TEST: the weights of split {split}, seed {seed} ({origin['source']}) were trained on {videos} "
                f"of the {origin['test_videos']} test videos and on {groups} of the {origin['test_groups']} test "
                "groups (recordings). Their accuracy says nothing about unseen videos."
            )
    return said


def origins(run: Run) -> list[str]:
    """Where weights come from that were not trained here from scratch, as the evaluated models say."""
    said: dict[str, list[str]] = {}
    for (split, seed), model in run.models.items():
        origin = model["weights"]
        where = f"{split}, seed {seed}"
        file = f"{origin['source']} (SHA-256 {origin['sha256'][:12]}…)"
        if origin["origin"] == "given":
            said.setdefault(f"was evaluated with given weights, not trained here: {file}.", []).append(where)
        elif origin["origin"] == "replaced":
            said.setdefault(
                f"was evaluated with replaced weights: {file} is not what the training here wrote.", []
            ).append(where)
        if origin.get("start"):
            start = f"{origin['start']['source']} (SHA-256 {origin['start']['sha256'][:12]}…)"
            said.setdefault(f"was trained starting from the weights {start}.", []).append(where)
        if not origin["training_data_known"]:
            said.setdefault(
                "has weights whose training data are unknown: the test videos may be among them.", []
            ).append(where)
    return [f"Split {'; '.join(places)} {what}" for what, places in said.items()]


def sentence(measured: list[Score], protocol: str) -> str:
    """The answer in one sentence, for one protocol."""
    answer = next(s for s in reversed(measured) if s.protocol == protocol)
    splits = sum(s.protocol == protocol and s.split != MEAN for s in measured)
    what = f"Mean top-1 accuracy over {splits} splits" if splits > 1 else "Top-1 accuracy on one split"
    spreads = {"splits": answer.std_splits, "seeds": answer.std_seeds}
    spread = ", ".join(f"{percent(value)} over the {over}" for over, value in spreads.items() if not math.isnan(value))
    deviations = f" (standard deviation: {spread})" if spread else ""
    return (
        f"{what}: {percent(answer.top1)}{deviations}, 95 % interval {percent(answer.low)} to {percent(answer.high)}, "
        f"{answer.videos:,} test videos, {answer.seeds} seed{'s' * (answer.seeds > 1)} per split, {protocol} protocol."
    )


def percent(fraction: float) -> str:
    """A fraction as per cent with one decimal."""
    return f"{100 * fraction:.1f} %"
