"""Training targets, and clips mixed with other clips of their batch."""

from collections.abc import Sequence
from random import Random

import cv2
import numpy as np


def soft_targets(labels: np.ndarray, num_classes: int, smoothing: float = 0.0) -> np.ndarray:
    """Return the probabilities to learn, float32 (N, num_classes): 1 for the label and 0 for the rest.

    With `smoothing` ε the label gets 1 - ε, and ε is shared by all classes alike.
    Source: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7.
    """
    targets = np.full((len(labels), num_classes), smoothing / num_classes, np.float32)
    targets[np.arange(len(labels)), labels] += 1 - smoothing
    return targets


def class_weights(how: str, labels: Sequence[int], num_classes: int) -> np.ndarray:
    """Return what each class counts in the loss, float32 (num_classes,), from the labels of all training videos.

    Args:
        how: `none`, each 1; or `balanced`, inversely to the number of its videos and 1 on average over the videos, as
            in King and Zeng, "Logistic Regression in Rare Events Data", Political Analysis 9, 2001.
        labels: of all training videos; every class has one or more.
        num_classes: number of classes.
    """
    if how == "none":
        return np.ones(num_classes, np.float32)
    return (len(labels) / (num_classes * np.bincount(labels, minlength=num_classes))).astype(np.float32)


def mix_batch(
    clips: np.ndarray, targets: np.ndarray, mixup: float, cutmix: float, rng: Random
) -> tuple[np.ndarray, np.ndarray]:
    """Mix every clip, and its target, with another of the batch by mixup or by cutmix; return the new ones.

    Args:
        clips: uint8 (N, T, H, W, 3).
        targets: float32 (N, num_classes).
        mixup: parameter α of the beta distribution that λ is drawn from; 0 for never.
        cutmix: the same for cutmix. Where both are given, one of them is drawn for the batch.
        rng: for the draws.
    """
    if not mixup and not cutmix:
        return clips, targets
    permutation = rng.sample(range(len(clips)), len(clips))
    if cutmix and (not mixup or rng.random() < 0.5):
        clips, lam = cutmix_clips(clips, permutation, rng.betavariate(cutmix, cutmix), rng)
    else:
        lam = rng.betavariate(mixup, mixup)
        clips = mixup_clips(clips, permutation, lam)
    return clips, (lam * targets + (1 - lam) * targets[permutation]).astype(np.float32)


def mixup_clips(clips: np.ndarray, permutation: Sequence[int], lam: float) -> np.ndarray:
    """Return λ times every clip plus 1 - λ times the clip that `permutation` gives it, pixel by pixel.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
    """
    mixed = np.empty_like(clips)
    for out, clip, other in zip(mixed, clips, clips[permutation], strict=True):
        first, second, result = (array.reshape(len(array), -1) for array in (clip, other, out))
        cv2.addWeighted(first, lam, second, 1 - lam, 0, dst=result)
    return mixed


def cutmix_clips(clips: np.ndarray, permutation: Sequence[int], lam: float, rng: Random) -> tuple[np.ndarray, float]:
    """Replace a rectangle of every clip, the same in all frames, by that of the clip that `permutation` gives it.

    The rectangle has 1 - λ of the area before it is cut off at the border.
    Source: Yun et al., "CutMix", ICCV 2019, section 3.1.

    Returns:
        The new clips, and as a new λ the share of each that is left.
    """
    height, width = clips.shape[2:4]
    half_height, half_width = (side * (1 - lam) ** 0.5 / 2 for side in (height, width))
    y, x = rng.randrange(height), rng.randrange(width)
    rows = slice(max(round(y - half_height), 0), min(round(y + half_height), height))
    columns = slice(max(round(x - half_width), 0), min(round(x + half_width), width))
    mixed = clips.copy()
    mixed[:, :, rows, columns] = clips[permutation][:, :, rows, columns]
    pasted = (rows.stop - rows.start) * (columns.stop - columns.start)
    return mixed, 1 - pasted / (height * width)
