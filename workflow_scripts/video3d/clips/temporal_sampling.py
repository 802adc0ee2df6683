"""Which frames of a video make a clip: temporal sampling.

Every function returns int64 indices of frames, 0-based. With `rng` a clip is drawn for training, without it the clip is
the fixed one of evaluation. All raise ValueError if there is no frame to choose from.
"""

from random import Random

import numpy as np


def segment_indices(frames: int, segments: int, rng: Random | None = None) -> np.ndarray:
    """Return one frame from each of `segments` equal parts of a video; shape (segments,), ascending.

    With `rng`, part i is the `frames // segments` frames from `i * (frames // segments)` and one of them is drawn, so
    the last `frames % segments` frames are never seen; without it, each index is the middle of its part,
    `int(frames / (2 * segments) + i * frames / segments)`. A video of at most `segments` frames gives its first frame
    throughout. Both as in the reference implementation.
    Source: Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.1.
    """
    _check(frames, segments)
    if frames <= segments:
        return np.zeros(segments, np.int64)
    if rng is None:
        return (2 * np.arange(segments, dtype=np.int64) + 1) * frames // (2 * segments)
    duration = frames // segments
    return np.array([part * duration + rng.randrange(duration) for part in range(segments)], np.int64)


def consecutive_indices(frames: int, length: int, rng: Random | None = None) -> np.ndarray:
    """Return `length` adjacent frames, from a uniformly drawn start with `rng`, else the middle ones; shape (length,).

    A video shorter than the clip is repeated from its first frame.
    Source: Hara et al., "Can Spatiotemporal 3D CNNs Retrace …", CVPR 2018, section 3.2.
    """
    _check(frames, length)
    free = max(frames - length, 0)
    start = free // 2 if rng is None else rng.randrange(free + 1)
    return (start + np.arange(length, dtype=np.int64)) % frames


def sliding_clips(frames: int, length: int) -> np.ndarray:
    """Return all adjacent, non-overlapping clips of a video; shape (ceil(frames / length), length).

    The last clip, where it is incomplete, is filled by repeating its own frames.
    Source: the protocol of Hara et al., CVPR 2018, section 3.2 and their published code.
    """
    _check(frames, length)
    starts = np.arange(0, frames, length, dtype=np.int64)[:, None]
    lengths = np.minimum(frames - starts, length)
    return starts + np.arange(length, dtype=np.int64) % lengths


def uniform_clips(frames: int, length: int, clips: int) -> np.ndarray:
    """Return `clips` clips of adjacent frames with evenly spaced starts, from the video's first frame to its last.

    Shape (clips, length). A single clip is the middle one; a video shorter than a clip is repeated from its start.
    Source: the test views of Feichtenhofer et al., "SlowFast Networks", ICCV 2019, section 4.
    """
    _check(frames, length)
    free = max(frames - length, 0)
    starts = np.array([free // 2]) if clips == 1 else np.arange(clips) * free // (clips - 1)
    return (starts[:, None] + np.arange(length, dtype=np.int64)) % frames


def _check(frames: int, length: int) -> None:
    if frames < 1 or length < 1:
        raise ValueError(f"cannot choose {length} of {frames} frames")
