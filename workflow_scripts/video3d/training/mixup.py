"""Training targets, and clips mixed with other clips of their batch."""

from collections.abc import Sequence
from random import Random

import cv2
import numpy as np


def targets(labels: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """Probabilities to learn, float32 (N, classes): 1 for the label, or with `smoothing` ε: 1 - ε, and ε over all.

    Source: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7.
    """
    result = np.full((len(labels), classes), smoothing / classes, np.float32)
    result[np.arange(len(labels)), labels] += 1 - smoothing
    return result


def mix(
    clips: np.ndarray, wanted: np.ndarray, mixup: float, cutmix: float, rng: Random
) -> tuple[np.ndarray, np.ndarray]:
    """Mix every clip, and its target, with another of the batch by mixup or by cutmix.

    `clips` are uint8 (N, T, H, W, 3), `wanted` float32 (N, classes). `mixup` and `cutmix` are the parameters α of the
    beta distributions that the share is drawn from, 0 for never; with both, one of them is drawn for the batch.
    """
    if not mixup and not cutmix:
        return clips, wanted
    partner = rng.sample(range(len(clips)), len(clips))
    if cutmix and (not mixup or rng.random() < 0.5):
        clips, share = cut_and_paste(clips, partner, rng.betavariate(cutmix, cutmix), rng)
    else:
        share = rng.betavariate(mixup, mixup)
        clips = blend(clips, partner, share)
    return clips, (share * wanted + (1 - share) * wanted[partner]).astype(np.float32)


def blend(clips: np.ndarray, partner: Sequence[int], share: float) -> np.ndarray:
    """`share` of every clip and the rest of its partner, added up pixel by pixel.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
    """
    mixed = np.empty_like(clips)
    for out, clip, other in zip(mixed, clips, clips[partner], strict=True):
        flat = (array.reshape(len(array), -1) for array in (clip, other, out))
        first, second, result = flat
        cv2.addWeighted(first, share, second, 1 - share, 0, dst=result)
    return mixed


def cut_and_paste(clips: np.ndarray, partner: Sequence[int], share: float, rng: Random) -> tuple[np.ndarray, float]:
    """Replace a rectangle of every clip, the same through all frames and channels, by its partner's.

    The rectangle has 1 - `share` of the area before it is cut at the border. Returns the clips and the share that is
    left of each.
    Source: Yun et al., "CutMix", ICCV 2019, section 3.1.
    """
    height, width = clips.shape[2:4]
    half_height, half_width = (side * (1 - share) ** 0.5 / 2 for side in (height, width))
    y, x = rng.randrange(height), rng.randrange(width)
    rows = slice(max(round(y - half_height), 0), min(round(y + half_height), height))
    columns = slice(max(round(x - half_width), 0), min(round(x + half_width), width))
    mixed = clips.copy()
    mixed[:, :, rows, columns] = clips[partner][:, :, rows, columns]
    pasted = (rows.stop - rows.start) * (columns.stop - columns.start)
    return mixed, 1 - pasted / (height * width)
