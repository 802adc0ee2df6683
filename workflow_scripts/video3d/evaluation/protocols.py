"""Which views of a video are shown to the network when it is tested: a number is worth what its protocol says.

Every view is a clip of the video's centre square, so a protocol is a choice of frames and of mirroring. Evaluation and
prediction take theirs from here and nowhere else.
"""

from typing import NamedTuple

import numpy as np

from video3d.clips.temporal_sampling import segment_indices, sliding_clips, uniform_clips
from video3d.common.settings import UniformViews

PROTOCOLS = ("segments", "sliding", "uniform")


class Views(NamedTuple):
    """The clips of one video: frame indices, int64 (clips, T), 0-based, and whether each is mirrored, bool (clips,)."""

    indices: np.ndarray
    mirrored: np.ndarray


def views(protocol: str, frames: int, length: int, uniform: UniformViews) -> Views:
    """Return the views that a protocol takes of a video of `frames` frames, by clips of `length` frames.

    - segments: one clip, the middle frames of `length` equal parts (the reference implementation).
    - sliding: all non-overlapping clips, the last one looped (Hara et al., CVPR 2018).
    - uniform: `uniform.clips` evenly spaced clips, with `uniform.flip` each also mirrored.

    Args:
        protocol: one of `PROTOCOLS`.
        frames: how many the video has.
        length: how many a clip has.
        uniform: how the protocol of that name is set.

    Raises ValueError if there is no frame or no such protocol.
    """
    if protocol == "segments":
        indices = segment_indices(frames, length)[None]
    elif protocol == "sliding":
        indices = sliding_clips(frames, length)
    elif protocol == "uniform":
        indices = uniform_clips(frames, length, uniform.clips)
        if uniform.flip:
            mirrored = np.repeat([False, True], len(indices))
            return Views(np.concatenate([indices, indices]), mirrored)
    else:
        raise ValueError(f"no protocol is called {protocol!r}; there are {', '.join(PROTOCOLS)}")
    return Views(indices, np.zeros(len(indices), bool))


def describe_protocol(protocol: str, length: int, size: int, uniform: UniformViews) -> str:
    """Return the protocol in a sentence, to stand beside its numbers.

    Clips have `length` frames of `size` × `size` pixels.
    """
    flip = ", each also mirrored" if uniform.flip else ""
    clips = {
        "segments": f"1 clip a video: the middle frames of {length} equal parts",
        "sliding": f"all non-overlapping clips of {length} frames, the last one looped, softmax averaged",
        "uniform": f"{uniform.clips} evenly spaced clips of {length} frames{flip}, softmax averaged",
    }
    return f"{clips[protocol]}; centre crop, {size}×{size} pixels"
