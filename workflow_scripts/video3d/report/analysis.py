"""Where a network fails: accuracy by class, group and length, confusions, calibration, and two runs compared.

Every table is made from predictions of one protocol (`Run.predictions`). Seeds are averaged video by video, so a
video counts once however many seeds there are. The 95 % intervals are those of `intervals`, for videos in groups.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from video3d.evaluation import intervals, metrics

CLUSTER = ["class", "group"]
KNOWN = ("trained_on", "group_trained_on")  # columns of predictions.csv: 1, 0, or empty where nobody knows


def one_row_per_video(predictions: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds: columns split, video, class, group, and `correct` as the fraction of seeds that were right.

    A video is in the test list of one split only (official splits); where it is in several, each counts.
    """
    return predictions.groupby(["split", "video", *CLUSTER], as_index=False, sort=False)["correct"].mean()


def accuracy_by(videos: pd.DataFrame, key: str) -> pd.DataFrame:
    """Accuracy for each value of column `key`: columns key, videos, groups, top1, low, high; sorted by `key`.

    `videos` has one row per video with columns class, group, correct.
    """
    rows = []
    for value, part in videos.groupby(key, sort=True):
        groups = part.groupby(CLUSTER).ngroup().to_numpy()
        top1 = intervals.proportion(part["correct"].to_numpy(float), groups)
        rows.append((value, len(part), groups.max() + 1, top1.value, top1.low, top1.high))
    return pd.DataFrame(rows, columns=[key, "videos", "groups", "top1", "low", "high"])


def confusion_matrix(predictions: pd.DataFrame, classes: int) -> np.ndarray:
    """Share of the videos of a class that were predicted as each class: float64 (classes, classes), rows are truth.

    A class without a test video has a row of zeros.
    """
    counts = metrics.confusion_matrix(
        predictions["label"].to_numpy(), predictions["predicted_label"].to_numpy(), classes
    )
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def similarity_order(confusion: np.ndarray) -> np.ndarray:
    """An order of the classes (int64, a permutation) in which those that are confused stand near each other.

    Average-linkage clustering of the confusions in either direction; the more similar ends of two clusters are joined.
    Source: Gruvaeus and Wainer, "Two additions to hierarchical cluster analysis", 1972.
    """
    similarity = confusion + confusion.T
    linkage = similarity.copy()  # the mean similarity of two clusters, each at the row of one of its members
    np.fill_diagonal(linkage, -1)
    clusters = {index: [index] for index in range(len(confusion))}
    while len(clusters) > 1:
        a, b = sorted(np.unravel_index(np.argmax(linkage), linkage.shape))
        sizes = len(clusters[a]), len(clusters[b])
        linkage[a] = linkage[:, a] = (linkage[a] * sizes[0] + linkage[b] * sizes[1]) / sum(sizes)
        linkage[b] = linkage[:, b] = linkage[a, a] = -1
        absorbed = clusters.pop(b)
        joins = [(left, right) for left in _both_ways(clusters[a]) for right in _both_ways(absorbed)]
        left, right = max(joins, key=lambda join: similarity[join[0][-1], join[1][0]])
        clusters[a] = left + right
    return np.array(clusters.popitem()[1], np.int64)


def _both_ways(items: list[int]) -> list[list[int]]:
    return [items, items[::-1]]


def confused_pairs(predictions: pd.DataFrame) -> pd.DataFrame:
    """Every wrong (class, predicted class) with columns videos, share, reverse; the largest share first.

    `videos` is the mean number per seed, `share` its part of the class's videos, `reverse` the share of the opposite
    mistake.
    """
    seeds = max(predictions["seed"].nunique(), 1)
    totals = predictions.groupby("class").size() / seeds
    counts = predictions.groupby(["class", "predicted_class"]).size() / seeds
    share = counts / counts.index.get_level_values(0).map(totals).to_numpy()
    pairs = pd.DataFrame({"videos": counts, "share": share})
    pairs["reverse"] = share.reindex([(b, a) for a, b in share.index], fill_value=0).to_numpy()
    pairs = pairs.reset_index()
    pairs = pairs[pairs["class"] != pairs["predicted_class"]]
    return pairs.sort_values(["share", "class"], ascending=[False, True], ignore_index=True)


def class_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """`accuracy_by` class, best first, with the class it is most often taken for and the share of that mistake."""
    worst = confused_pairs(predictions).drop_duplicates("class").set_index("class")
    table = accuracy_by(one_row_per_video(predictions), "class")
    table["taken_for"] = table["class"].map(worst["predicted_class"])
    table["taken_for_share"] = table["class"].map(worst["share"])
    return table.sort_values(["top1", "class"], ascending=[False, True], ignore_index=True)


def calibration(predictions: pd.DataFrame, bins: int = metrics.CALIBRATION_BINS) -> pd.DataFrame:
    """Reliability of the top-1 probability in `bins` of equal width: columns low, high, confidence, top1, predictions.

    Empty bins are left out. Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2.
    """
    probability = predictions["top1_probability"].to_numpy(float)
    bin_of = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
    table = pd.DataFrame({"bin": bin_of, "confidence": probability, "top1": predictions["correct"].to_numpy(float)})
    table = table.groupby("bin").agg(
        confidence=("confidence", "mean"), top1=("top1", "mean"), predictions=("top1", "size")
    )
    table.insert(0, "low", table.index / bins)
    table.insert(1, "high", (table.index + 1) / bins)
    return table.reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error of a `calibration` table: mean distance of confidence and accuracy by prediction."""
    return float(np.average((table["top1"] - table["confidence"]).abs(), weights=table["predictions"]))


def length_bins(frames: pd.Series, bins: int = 8) -> pd.Series:
    """The middle of the bin that each number of frames falls into; the bins hold about equally many videos."""
    edges = np.unique(np.quantile(frames, np.linspace(0, 1, bins + 1)).round())
    middles = (edges[:-1] + edges[1:]) / 2 if len(edges) > 1 else edges
    return pd.Series(middles[np.clip(np.searchsorted(edges, frames, "right") - 1, 0, len(middles) - 1)], frames.index)


def on_shared_videos(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """The answers of two runs by one protocol for the videos that both predicted, seeds averaged.

    Columns split, video, class, group, ours, theirs, difference (ours - theirs) and cluster (the number of the video's
    group among all); a row per video.
    """
    keys = ["split", "video", *CLUSTER]
    table = one_row_per_video(ours).merge(one_row_per_video(theirs), on=keys, suffixes=("_ours", "_theirs"))
    table = table.rename(columns={"correct_ours": "ours", "correct_theirs": "theirs"})
    return table.assign(difference=table["ours"] - table["theirs"], cluster=table.groupby(CLUSTER).ngroup())


def known_videos(shared: pd.DataFrame, runs: Mapping[str, pd.DataFrame]) -> dict[str, int | None]:
    """How many of the videos of `on_shared_videos` the networks of each of `runs` know from their training.

    `runs` are predictions by a name. Returns trained_on_<name>, the videos that a network was trained on, and
    group_trained_on_<name>, those with a video of their group in the training data. With several seeds a video counts
    if one of them knows it. None where nobody knows and none is known, as for predictions of version 0.1.
    """
    counts: dict[str, int | None] = {}
    for column in KNOWN:
        for name, predictions in runs.items():
            answers = predictions.reindex(columns=["split", "video", column]).merge(shared[["split", "video"]])
            known = len(answers[answers[column] == 1].drop_duplicates(["split", "video"]))
            counts[f"{column}_{name}"] = None if not known and answers[column].isna().any() else known
    return counts


def leak(run: str, protocol: str, row: Mapping, name: str) -> str:
    """Say that a comparison is none of unseen videos, or that nobody knows; empty if it is one.

    `row` has videos and the counts of `known_videos`, `name` being the run's name in them.
    """
    videos, groups = (row[f"{column}_{name}"] for column in KNOWN)
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


def paired_difference(shared: pd.DataFrame) -> dict[str, float]:
    """Accuracy of our run minus theirs over the videos of `on_shared_videos`, of which there is at least one.

    Returns videos, ours, theirs, difference, low, high.
    """
    difference = intervals.paired_difference(shared["difference"].to_numpy(), shared["cluster"].to_numpy())
    return {
        "videos": len(shared),
        "ours": shared["ours"].mean(),
        "theirs": shared["theirs"].mean(),
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
    }
