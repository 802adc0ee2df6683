"""Scores of a set of predictions, and how sure one may be of them. NumPy only.

Every score here is a function of sums over videos: of videos, of right answers, of each class's hits, and so on. So a
bootstrap replicate is a weighted sum of the same rows, and one function turns sums into scores, for the test set as it
is and for thousands of resampled ones alike.

The bootstrap draws whole groups. The videos of a group are cut from one source recording and share its actor, place and
camera: drawing single videos would take them for independent and make the intervals too narrow. Groups are drawn
whatever their class, so the intervals err on the wide side where the accuracy differs much between classes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SCORES = ("top1", "top5", "mean_class", "macro_f1", "calibration_error", "clip_top1")
CALIBRATION_BINS = 15
REPLICATES = 10_000
LEVEL = 0.95


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


@dataclass(frozen=True)
class Estimate:
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


def evaluate(predictions: Predictions) -> dict[str, Estimate]:
    """Every score of `SCORES` with its 95 % bootstrap interval over whole groups."""
    rows = _rows(predictions)
    values = _scores(rows.sum(axis=0), predictions.probabilities.shape[1])
    per_group, units = _sum_by_group(rows, predictions.labels, predictions.groups)
    draws = _scores(group_weights(units) @ per_group, predictions.probabilities.shape[1])
    return {name: interval(values[name], draws[name]) for name in SCORES}


def top_k_correct(probabilities: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether each label is among its row's `k` largest values, bool (videos,).

    Of equal values the smaller class index counts as the larger value, as in `argmax`.
    """
    own = probabilities[np.arange(len(labels)), labels][:, None]
    classes = np.arange(probabilities.shape[1])
    ahead = (probabilities > own) | ((probabilities == own) & (classes < labels[:, None]))
    return ahead.sum(axis=1) < k


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Number of videos by class (row) and predicted class (column), int64 (classes, classes)."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def calibration_bins(predictions: Predictions) -> list[dict[str, float]]:
    """Videos, mean confidence and accuracy in each of 15 equal bins of the confidence (None in an empty bin)."""
    confidence = predictions.probabilities.max(axis=1)
    correct = predictions.predicted == predictions.labels
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


@lru_cache(maxsize=2)
def group_weights(units: int, replicates: int = REPLICATES, seed: int = 0) -> np.ndarray:
    """How often each of `units` groups is drawn in each bootstrap replicate, float64 (replicates, units).

    Groups are drawn with replacement, as many as there are. The same arguments give the same draws, so that two sets of
    predictions of the same videos are resampled alike.
    """
    draws = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=replicates)
    weights = draws.astype(np.float64)
    weights.flags.writeable = False
    return weights


def accuracy_draws(correct: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Bootstrap replicates of the mean of `correct` (float (videos,), 0 to 1), over whole groups: (replicates,)."""
    rows = np.stack([np.ones(len(correct)), np.asarray(correct, dtype=np.float64)], axis=1)
    per_group, units = _sum_by_group(rows, labels, groups)
    totals = group_weights(units, seed=seed) @ per_group
    return totals[:, 1] / totals[:, 0]


def interval(value: float, draws: np.ndarray) -> Estimate:
    """The percentile interval of bootstrap replicates (Efron 1979) around a score."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))


@dataclass(frozen=True)
class Comparison:
    """Two runs' answers for the same videos.

    `difference` is b minus a, `only_a` and `only_b` the numbers of videos that one alone got right, `p_value` how often
    chance gives a difference at least this large between equally good runs.
    """

    videos: int
    top1_a: float
    top1_b: float
    difference: Estimate
    only_a: float
    only_b: float
    p_value: float


def compare(
    correct_a: np.ndarray, correct_b: np.ndarray, labels: np.ndarray, groups: np.ndarray, flips: int = 100_000
) -> Comparison:
    """Paired comparison of two runs' answers, `correct_a` and `correct_b`, float (videos,), 0 to 1.

    A value between 0 and 1 is a mean over seeds. The p-value is that of the two-sided sign-flip permutation test on
    whole groups: were the runs equally good, each group's difference would be as likely with the other sign. (With one
    video to a group this is McNemar's exact test.) All sign patterns are tried when there are at most `flips`, else
    that many are drawn at random. The interval is the bootstrap's over groups.
    """
    delta = np.asarray(correct_b, dtype=np.float64) - correct_a
    per_group, _ = _sum_by_group(delta[:, None], labels, groups)
    return Comparison(
        videos=len(delta),
        top1_a=float(np.mean(correct_a)),
        top1_b=float(np.mean(correct_b)),
        difference=interval(delta.mean(), accuracy_draws(delta, labels, groups)),
        only_a=float(np.maximum(-delta, 0).sum()),
        only_b=float(np.maximum(delta, 0).sum()),
        p_value=_sign_flip_p(per_group[:, 0], flips),
    )


def _sign_flip_p(differences: np.ndarray, flips: int) -> float:
    differences = differences[differences != 0]
    observed = abs(differences.sum()) - 1e-9
    if 2 ** len(differences) <= flips:
        patterns = np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences)) & 1
        return float(np.mean(abs((2 * patterns - 1) @ differences) >= observed))
    rng = np.random.default_rng(0)
    extreme = sum(
        np.count_nonzero(abs(rng.choice([-1.0, 1.0], size=(1000, len(differences))) @ differences) >= observed)
        for _ in range(flips // 1000)
    )
    return (1 + extreme) / (1 + flips // 1000 * 1000)


def _rows(predictions: Predictions) -> np.ndarray:
    """What each video adds to the sums, float64 (videos, 4 + 3 × classes + bins).

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


def _scores(totals: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Scores from sums of `_rows`, shape (..., columns); classes without a video count in no mean over classes.

    The calibration error is Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 3.
    """
    right, right5, clips, clips_right = (totals[..., i] for i in range(4))
    by_class = totals[..., 4 : 4 + 3 * classes].reshape(*totals.shape[:-1], 3, classes)
    hits, answers, videos = (by_class[..., i, :] for i in range(3))
    total = videos.sum(axis=-1)
    present = videos > 0
    # Where a class has no video its hits are 0 too: 0 / 1 is a harmless stand-in that `present` leaves out.
    recall = hits / np.where(present, videos, 1)
    f1 = 2 * hits / np.where(present, answers + videos, 1)
    return {
        "top1": right / total,
        "top5": right5 / total,
        "mean_class": (recall * present).sum(axis=-1) / present.sum(axis=-1),
        "macro_f1": (f1 * present).sum(axis=-1) / present.sum(axis=-1),
        "calibration_error": abs(totals[..., 4 + 3 * classes :]).sum(axis=-1) / total,
        "clip_top1": clips_right / clips,
    }


def _bin(confidence: np.ndarray) -> np.ndarray:
    """The bin of each confidence: bin i holds (i / 15, (i + 1) / 15]."""
    return np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)


def _sum_by_group(rows: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, int]:
    """Sums of `rows` over each group (groups are numbered within classes), (units, columns), and their number."""
    pairs = np.stack([labels, groups], axis=1)
    distinct, unit = np.unique(pairs, axis=0, return_inverse=True)
    sums = np.zeros((len(distinct), rows.shape[1]))
    np.add.at(sums, unit.reshape(-1), rows)
    return sums, len(distinct)
