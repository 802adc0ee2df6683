"""The answer in a few lines: what was measured on every split, and a sentence that says it."""

import math
from dataclasses import dataclass

import pandas as pd

from video3d.report.results import Run

MEAN = "mean"  # the `split` of the mean over the splits, in accuracy.csv


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


def collect_scores(run: Run) -> list[Score]:
    """Return by protocol a score of every split, averaged over its seeds, then that of the mean of the splits."""
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


def choose_answer(scores: list[Score], protocol: str) -> Score:
    """Return the score that is the answer by one protocol: that of the mean of the splits."""
    return next(score for score in reversed(scores) if score.protocol == protocol)


def answer_sentence(scores: list[Score], protocol: str) -> str:
    """Return the answer in one sentence, for one protocol."""
    answer = choose_answer(scores, protocol)
    splits = sum(score.protocol == protocol and score.split != MEAN for score in scores)
    what = f"Mean top-1 accuracy over {splits} splits" if splits > 1 else "Top-1 accuracy on one split"
    spreads = {"splits": answer.std_splits, "seeds": answer.std_seeds}
    spread = ", ".join(f"{percent(value)} over the {over}" for over, value in spreads.items() if not math.isnan(value))
    deviations = f" (standard deviation: {spread})" if spread else ""
    return (
        f"{what}: {percent(answer.top1)}{deviations}, 95 % interval {percent(answer.low)} to {percent(answer.high)}, "
        f"{answer.videos:,} test videos, {answer.seeds} seed{'s' * (answer.seeds > 1)} per split, {protocol} protocol."
    )


def score_columns(scores: list[Score]) -> list[dict]:
    """Return the columns of the table of scores: title, whether it holds numbers, cells (text, one per score).

    Columns without information are left out: those without a number, a top-5 that cannot be wrong, no video left out.
    """
    fractions = {
        "std. over seeds": "std_seeds", "std. over splits": "std_splits", "top-5": "top5", "mean class": "mean_class",
    }  # fmt: skip
    columns = [
        {"title": "protocol", "number": False, "cells": [score.protocol for score in scores]},
        {"title": "split", "number": False, "cells": [score.split for score in scores]},
        {"title": "top-1", "number": True, "cells": [percent(score.top1) for score in scores]},
        {"title": "95 % interval", "number": True,
         "cells": [f"{percent(score.low)} – {percent(score.high)}" for score in scores]},
    ]  # fmt: skip
    for title, name in fractions.items():
        values = [getattr(score, name) for score in scores]
        if not all(math.isnan(value) or (name == "top5" and value == 1) for value in values):
            cells = ["–" if math.isnan(value) else percent(value) for value in values]
            columns.append({"title": title, "number": True, "cells": cells})
    columns.append({"title": "videos", "number": True, "cells": [f"{score.videos:,}" for score in scores]})
    if any(score.left_out for score in scores):
        cells = ["–" if score.left_out is None else str(score.left_out) for score in scores]
        columns.append({"title": "left out", "number": True, "cells": cells})
    return columns


def percent(fraction: float) -> str:
    """Return a fraction as per cent with one decimal."""
    return f"{100 * fraction:.1f} %".replace("-", "−")


def points(fraction: float) -> str:
    """Return a difference of fractions in points, with its sign and one decimal."""
    return f"{100 * fraction:+.1f}".replace("-", "−")
