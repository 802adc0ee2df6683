"""Clips out of packs of frames: which packs, and the frames of a clip decoded and cropped."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from video3d.clips.spatial_crops import RESIZING, Box, centre_box, crop_resizer, decode, mirror
from video3d.common.errors import UserError
from video3d.dataset.split_table import Video
from video3d.frames.frame_pack import Pack


def open_packs(frames: str | os.PathLike, videos: Sequence[Video]) -> dict[str, Pack]:
    """The packs of the videos' classes, by class; `frames` is the folder with <Class>.zip.

    Raises UserError if a pack is missing or holds other videos or other numbers of frames than the split table says.
    """
    packs = {name: Pack(Path(frames) / f"{name}.zip") for name in sorted({video.class_name for video in videos})}
    for video in videos:
        found = packs[video.class_name].videos.get(video.name, 0)
        if found != video.frames:
            raise UserError(
                f"{Path(frames) / video.class_name}.zip holds {found} frames of {video.name}, but the split table says "
                f"{video.frames}; extract the frames of {video.class_name} again, then audit and make_splits"
            )
    return packs


def fill_clip(
    out: np.ndarray,
    video: Video,
    pack: Pack,
    indices: np.ndarray,
    draw_box: Callable[[int, int], Box] = centre_box,
    flip: bool = False,
    resizing: str = RESIZING,
) -> None:
    """Decode the frames `indices` of a video into `out`, uint8 RGB (T, H, W, 3), all cropped by the same box.

    `draw_box` gets the width and height of the frames. Raises UserError that names class, video and frame if a frame
    does not decode: a damaged clip is never replaced by another.
    """
    image = crop_resize = None
    for frame, index, jpeg in zip(out, indices, pack.jpegs(video.name, indices.tolist()), strict=True):
        try:
            image = decode(jpeg, image)
            crop_resize = crop_resize or crop_resizer(draw_box(image.shape[1], image.shape[0]), len(frame), resizing)
            crop_resize(image, frame)
        except ValueError as error:
            raise UserError(
                f"class {video.class_name}, video {video.name}, frame {index + 1} does not decode: {error}; "
                f"extract the frames of {video.class_name} again"
            ) from error
    if flip:
        mirror(out)
