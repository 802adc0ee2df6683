"""Scores of a set of predictions, and how sure one may be of them.

Accuracies have the intervals of `intervals`, which hold where everything is right or wrong. For the scores that are no
proportions, the bootstrap: every score is a function of sums over videos (of videos, of right answers, of each class's
hits, and so on), so a replicate is a weighted sum of the same rows, and one function turns sums into scores, for the
test set as it is and for thousands of resampled ones alike.

Both take whole groups. The videos of a group are cut from one source recording and share its actor, place and camera:
taking them for independent would make the intervals too narrow. Groups count as drawn whatever their class, so the
intervals err on the wide side where the accuracy differs much between classes; in the mean over classes, each class's
groups are drawn by themselves.
"""

from dataclasses import dataclass

import numpy as np

from video3d.evaluation.intervals import LEVEL, Estimate, proportion

SCORES = ("top1", "top5", "mean_class", "macro_f1", "calibration_error", "clip_top1")
CALIBRATION_BINS = 15
REPLICATES = 10_000
SIGN_FLIPS = 100_000
INTERVAL = (
    f"{LEVEL:.0%}, over whole groups: Clopper-Pearson with the effective sample size (Korn and Graubard 1998); "
    f"macro_f1 and calibration_error: percentile bootstrap, {REPLICATES} replicates"
)


@dataclass(frozen=True)
class Predictions:
    """What was predicted for the videos of one test split, a row per video.

    labels: int (videos,), 0-based. groups: int (videos,), numbered within their class. probabilities: float
    (videos, classes), rows summing to 1. clips: int (videos,), clips seen. clips_correct: int (videos,), clips whose
    own most probable class was right.
    """

    labels: np.ndarray
    groups: np.ndarray
    probabilities: np.ndarray
    clips: np.ndarray
    clips_correct: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each video, int (videos,)."""
        return self.probabilities.argmax(axis=1)


def evaluate(predictions: Predictions) -> dict[str, Estimate]:
    """Return every score of `SCORES` with its 95 % interval; `INTERVAL` says in words what that is."""
    rows, groups = _rows(predictions), clusters(predictions.labels, predictions.groups)
    values = _scores(rows.sum(axis=0), predictions.probabilities.shape[1])
    draws = _scores(_bootstrap(rows, groups), predictions.probabilities.shape[1])
    top1, top5 = (top_k_correct(predictions.probabilities, predictions.labels, k) for k in (1, 5))
    of_class = 1 / np.bincount(predictions.labels)[predictions.labels]
    clip_top1 = predictions.clips_correct / predictions.clips
    estimates = {
        "top1": proportion(top1, groups),
        "top5": proportion(top5, groups),
        "mean_class": proportion(top1, groups, strata=predictions.labels, weights=of_class),
        "clip_top1": proportion(clip_top1, groups, weights=predictions.clips),
    }
    return {name: estimates.get(name) or _percentile_interval(values[name], draws[name]) for name in SCORES}


def top_k_correct(probabilities: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return whether each label is among its row's `k` largest values, bool (videos,).

    Of equal values the smaller class index counts as the larger value, as in `argmax`.
    """
    own = probabilities[np.arange(len(labels)), labels][:, None]
    classes = np.arange(probabilities.shape[1])
    ahead = (probabilities > own) | ((probabilities == own) & (classes < labels[:, None]))
    return ahead.sum(axis=1) < k


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Return the number of videos by class (row) and predicted class (column), int64 (num_classes, num_classes)."""
    return np.bincount(labels * num_classes + predicted, minlength=num_classes**2).reshape(num_classes, -1)


def calibration_bins(confidence: np.ndarray, correct: np.ndarray) -> list[dict[str, float | None]]:
    """Return a row for each of 15 equal bins of the confidence: low, high, videos, confidence and accuracy.

    `confidence`, float (videos,), is the probability of each video's most probable class, `correct`, (videos,), whether
    it was right. The last two of a row are means over its videos, None in an empty bin.
    """
    bins = _bin(confidence)
    table = []
    for index in range(CALIBRATION_BINS):
        here = bins == index
        table.append(
            {
                "low": index / CALIBRATION_BINS,
                "high": (index + 1) / CALIBRATION_BINS,
                "videos": int(here.sum()),
                "confidence": float(confidence[here].mean()) if here.any() else None,
                "accuracy": float(correct[here].mean()) if here.any() else None,
            }
        )
    return table


def calibration_error(gaps: np.ndarray, videos: np.ndarray) -> np.ndarray:
    """Return the expected calibration error: the distance of confidence and accuracy, a mean over all videos.

    `gaps`, float (..., bins), is confidence minus right answers, summed over the videos of each bin; `videos`, (...),
    their number. Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 3.
    """
    return abs(gaps).sum(axis=-1) / videos


def clusters(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the number of each video's group among all groups, int (videos,); `groups` counts within each class."""
    return np.unique(np.stack([labels, groups]), axis=1, return_inverse=True)[1]


def sign_flip_p(differences: np.ndarray, groups: np.ndarray) -> float:
    """Return how often chance gives a mean at least as far from 0, in either direction, as that of `differences`.

    These, (videos,), are one run's answers minus another's for the same videos; `groups`, int (videos,), says which of
    them belong together. This is the p-value of the two-sided sign-flip permutation test on whole groups: were the runs
    equally good, each group's difference would be as likely with the other sign. (With one video to a group it is
    McNemar's exact test.) All sign patterns are tried when there are at most `SIGN_FLIPS`, else that many are drawn.
    """
    sums = np.bincount(groups, differences)
    sums = sums[sums != 0]
    observed = abs(sums.sum()) - 1e-9
    if 2 ** len(sums) <= SIGN_FLIPS:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float(np.mean(abs((2 * patterns - 1) @ sums) >= observed))
    rng = np.random.default_rng(0)
    extreme = sum(
        np.count_nonzero(abs(rng.choice([-1.0, 1.0], size=(1000, len(sums))) @ sums) >= observed)
        for _ in range(SIGN_FLIPS // 1000)
    )
    return (1 + extreme) / (1 + SIGN_FLIPS)


def _rows(predictions: Predictions) -> np.ndarray:
    """Return what each video adds to the sums, float64 (videos, 4 + 3 × num_classes + bins).

    Columns: top-1 right, top-5 right, clips, clips right; then by class: right answers, answers, videos; then by
    calibration bin: confidence minus right answers.
    """
    labels, predicted = predictions.labels, predictions.predicted
    correct = predicted == labels
    one_hot = np.eye(predictions.probabilities.shape[1])
    bins = np.eye(CALIBRATION_BINS)[_bin(predictions.probabilities.max(axis=1))]
    gap = predictions.probabilities.max(axis=1).astype(np.float64) - correct
    in_top5 = top_k_correct(predictions.probabilities, labels, 5)
    counts = [correct, in_top5, predictions.clips, predictions.clips_correct]
    return np.concatenate(
        [
            np.stack(counts, axis=1).astype(np.float64),
            one_hot[labels] * correct[:, None],
            one_hot[predicted],
            one_hot[labels],
            bins * gap[:, None],
        ],
        axis=1,
    )


def _scores(totals: np.ndarray, num_classes: int) -> dict[str, np.ndarray]:
    """Return scores from sums of `_rows`, shape (..., columns).

    Classes without a video count in no mean over classes.
    """
    right, right5, clips, clips_right = (totals[..., i] for i in range(4))
    by_class = totals[..., 4 : 4 + 3 * num_classes].reshape(*totals.shape[:-1], 3, num_classes)
    hits, answers, videos = (by_class[..., i, :] for i in range(3))
    total = videos.sum(axis=-1)
    present = videos > 0
    # Where a class has no video its hits are 0 too: 0 / 1 is a harmless value that `present` leaves out.
    recall = hits / np.where(present, videos, 1)
    f1 = 2 * hits / np.where(present, answers + videos, 1)
    return {
        "top1": right / total,
        "top5": right5 / total,
        "mean_class": (recall * present).sum(axis=-1) / present.sum(axis=-1),
        "macro_f1": (f1 * present).sum(axis=-1) / present.sum(axis=-1),
        "calibration_error": calibration_error(totals[..., 4 + 3 * num_classes :], total),
        "clip_top1": clips_right / clips,
    }


def _bin(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of each confidence: bin i holds (i / 15, (i + 1) / 15]."""
    return np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)


def _bootstrap(rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return sums of `rows` over groups drawn with replacement, as many as there are: float64 (replicates, columns)."""
    units = groups.max() + 1
    sums = np.zeros((units, rows.shape[1]))
    np.add.at(sums, groups, rows)
    drawn = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), size=REPLICATES)
    return drawn @ sums


def _percentile_interval(value: float, draws: np.ndarray) -> Estimate:
    """Return the percentile interval of bootstrap replicates (Efron 1979) around a score."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))
