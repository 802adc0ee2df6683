"""Where a network fails: accuracy by class, group and length, confusions, calibration.

Every table is made from predictions of one protocol (`Run.first_predictions`). Seeds are averaged video by video, so a
video counts once however many seeds there are. The 95 % intervals are those of `intervals`, for videos in groups.
"""

import numpy as np
import pandas as pd

from video3d.evaluation import intervals, metrics

GROUP = ["class", "group"]  # the columns that name a group, as groups are numbered within their class


def average_seeds(predictions: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds: columns split, video, class, group, and `correct`, the fraction of seeds that were right.

    A video is in the test list of one split only (official splits); where it is in several, each counts.
    """
    return predictions.groupby(["split", "video", *GROUP], as_index=False, sort=False)["correct"].mean()


def accuracy_by(videos: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the accuracy for each value of column `key`, sorted: columns key, videos, groups, top1, low, high.

    `videos` has one row per video with columns class, group, correct.
    """
    rows = []
    for value, part in videos.groupby(key, sort=True):
        groups = part.groupby(GROUP).ngroup().to_numpy()
        top1 = intervals.proportion(part["correct"].to_numpy(float), groups)
        rows.append((value, len(part), groups.max() + 1, top1.value, top1.low, top1.high))
    return pd.DataFrame(rows, columns=[key, "videos", "groups", "top1", "low", "high"])


def confusion_counts(predictions: pd.DataFrame, num_classes: int) -> np.ndarray:
    """Return how many predictions each class got: int64 (num_classes, num_classes), a row per true class."""
    return metrics.confusion_matrix(
        predictions["label"].to_numpy(), predictions["predicted_label"].to_numpy(), num_classes
    )


def confusion_shares(counts: np.ndarray) -> np.ndarray:
    """Return confusions as shares of their row, float64; a class without a test video has a row of zeros."""
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def similarity_order(confusion: np.ndarray) -> np.ndarray:
    """Return an order of the classes (int64, a permutation) in which those that are confused stand near each other.

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
    """Return every wrong (class, predicted class) with columns videos, share, reverse; the largest share first.

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


def class_accuracy(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy of every class, best first, and the class that it is most often taken for.

    Columns of `accuracy_by` and taken_for, taken_for_share (of the class's videos).
    """
    worst = confused_pairs(predictions).drop_duplicates("class").set_index("class")
    table = accuracy_by(average_seeds(predictions), "class")
    table["taken_for"] = table["class"].map(worst["predicted_class"])
    table["taken_for_share"] = table["class"].map(worst["share"])
    return table.sort_values(["top1", "class"], ascending=[False, True], ignore_index=True)


def calibration(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability of the top-1 probability in bins of equal width, without empty ones.

    Columns low, high, confidence, top1, predictions. Source: Guo et al., "On Calibration of Modern Neural Networks",
    ICML 2017, section 2.
    """
    probability, correct = (predictions[name].to_numpy(float) for name in ("top1_probability", "correct"))
    table = pd.DataFrame(metrics.calibration_bins(probability, correct)).query("videos > 0")
    table = table.rename(columns={"accuracy": "top1", "videos": "predictions"})
    return table[["low", "high", "confidence", "top1", "predictions"]].reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error of a `calibration` table."""
    gaps = (table["confidence"] - table["top1"]) * table["predictions"]
    return float(metrics.calibration_error(gaps.to_numpy(), table["predictions"].sum()))


def length_bins(frames: pd.Series, bins: int = 8) -> pd.Series:
    """Return the middle of the bin that each number of frames falls into; the bins hold about equally many videos."""
    edges = np.unique(np.quantile(frames, np.linspace(0, 1, bins + 1)).round())
    middles = (edges[:-1] + edges[1:]) / 2 if len(edges) > 1 else edges
    return pd.Series(middles[np.clip(np.searchsorted(edges, frames, "right") - 1, 0, len(middles) - 1)], frames.index)
