"""Two runs compared on the test videos that both have predicted, video by video; several seeds are averaged.

The report (`report: compare:`) and compare.py both take the difference and its interval from here.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from video3d.evaluation import intervals
from video3d.report.analysis import GROUP, average_seeds
from video3d.report.results import Run

TRAINED_ON = ("trained_on", "group_trained_on")  # columns of predictions.csv: 1, 0, or empty where nobody knows


def pair_answers(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return the answers of two runs by one protocol for the videos that both predicted, a row per video.

    Columns split, video, class, group, ours, theirs, difference (ours - theirs) and cluster (the number of the video's
    group among all).
    """
    keys = ["split", "video", *GROUP]
    table = average_seeds(ours).merge(average_seeds(theirs), on=keys, suffixes=("_ours", "_theirs"))
    table = table.rename(columns={"correct_ours": "ours", "correct_theirs": "theirs"})
    return table.assign(difference=table["ours"] - table["theirs"], cluster=table.groupby(GROUP).ngroup())


def summarise_pairs(pairs: pd.DataFrame) -> dict[str, float]:
    """Return the accuracy of our run minus theirs over the videos of `pair_answers`, of which there is at least one.

    Keys: videos, ours, theirs, difference, and its 95 % interval, low and high.
    """
    difference = intervals.paired_difference(pairs["difference"].to_numpy(), pairs["cluster"].to_numpy())
    return {
        "videos": len(pairs),
        "ours": pairs["ours"].mean(),
        "theirs": pairs["theirs"].mean(),
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
    }


def count_known_videos(pairs: pd.DataFrame, runs: Mapping[str, pd.DataFrame]) -> dict[str, int | None]:
    """Count the videos of `pair_answers` that the networks of each of `runs` know from their training.

    `runs` are predictions by a name. Returns trained_on_<name>, the videos that a network was trained on, and
    group_trained_on_<name>, those with a video of their group in the training data. With several seeds a video counts
    if one of them knows it. None where nobody knows and none is known, as for predictions of version 0.1.
    """
    counts: dict[str, int | None] = {}
    for column in TRAINED_ON:
        for name, predictions in runs.items():
            answers = predictions.reindex(columns=["split", "video", column]).merge(pairs[["split", "video"]])
            known = len(answers[answers[column] == 1].drop_duplicates(["split", "video"]))
            counts[f"{column}_{name}"] = None if not known and answers[column].isna().any() else known
    return counts


def leak_warning(run: str, protocol: str, row: Mapping, name: str) -> str:
    """Return the warning that a comparison is not one of unseen videos, or that nobody knows; empty if it is one.

    Args:
        run: the run, as the warning names it.
        protocol: the protocol by which the videos were predicted.
        row: the number of videos, and the counts of `count_known_videos`.
        name: the name of the run in these counts.
    """
    videos, groups = (row[f"{column}_{name}"] for column in TRAINED_ON)
    known = [count for count in (videos, groups) if not pd.isna(count)]
    if any(known):
        of_groups = "" if pd.isna(groups) else f" and on the groups (recordings) of {groups}"
        return (
            f"NOT A TEST: {run} was trained on {0 if pd.isna(videos) else videos}{of_groups} of the {row['videos']} "
            f"videos that are compared ({protocol}). The difference says nothing about unseen videos."
        )
    if known:
        return ""
    return (
        f"The training data of {run} are unknown, at least in part: the videos that are compared ({protocol}) may be "
        "among them."
    )


def difference_table(run: Run, others: Sequence[Run]) -> pd.DataFrame:
    """Compare this run with each other one by each protocol that both have, on the videos that both predicted.

    The last columns are the counts of `count_known_videos`.
    """
    rows = []
    for other in others:
        for protocol in run.protocols:
            ours, theirs = (each.predictions[each.predictions["protocol"] == protocol] for each in (run, other))
            pairs = pair_answers(ours, theirs)
            if len(pairs):
                known = count_known_videos(pairs, {"ours": ours, "theirs": theirs})
                rows.append({"run": other.name, "protocol": protocol} | summarise_pairs(pairs) | known)
    known = [f"{column}_{side}" for column in TRAINED_ON for side in ("ours", "theirs")]
    columns = ["run", "protocol", "videos", "ours", "theirs", "difference", "low", "high", *known]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(known, "Int64"))


def leak_warnings(run: Run, differences: pd.DataFrame) -> list[str]:
    """Return what must be said above a `difference_table`: which runs were trained on the videos that they share."""
    warnings = [
        leak_warning(f"run {name}", row["protocol"], row, side)
        for _, row in differences.iterrows()
        for name, side in ((run.name, "ours"), (row["run"], "theirs"))
    ]
    return list(dict.fromkeys(filter(None, warnings)))
