"""Clips out of packs of frames: which packs, and the frames of a clip decoded and cropped."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import simplejpeg

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


def frame_size(pack: Pack, video: str, index: int) -> tuple[int, int]:
    """Return width and height of the frame at this 0-based index of a video, in pixels.

    Raises UserError that names class, video and frame if there is no such frame or if it is damaged.
    """
    (jpeg,) = pack.jpegs(video, [index])
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
    except ValueError as error:
        raise _undecodable(pack, video, index, error) from error
    return width, height


def decode_frames(
    out: np.ndarray, pack: Pack, video: str, indices: Sequence[int], box: Box, resizing: str = RESIZING
) -> None:
    """Decode frames of a video and write the same rectangle of each, resized, into `out`.

    Args:
        out: uint8 RGB (T, size, size, 3), overwritten.
        pack: the pack of the video's class.
        video: the name of the video.
        indices: 0-based indices of T frames.
        box: the rectangle, in pixels of a frame; `frame_size` tells how large frames are.
        resizing: one of `spatial_crops.RESIZERS`.

    Raises UserError that names class, video and frame if a frame does not decode: a damaged clip is never replaced by
    another.
    """
    image, crop_resize = None, crop_resizer(box, out.shape[1], resizing)
    for frame, index, jpeg in zip(out, indices, pack.jpegs(video, indices), strict=True):
        try:
            image = decode(jpeg, image)
            crop_resize(image, frame)
        except ValueError as error:
            raise _undecodable(pack, video, index, error) from error


def fill_clip(
    out: np.ndarray,
    video: Video,
    pack: Pack,
    indices: np.ndarray,
    draw_box: Callable[[int, int], Box] = centre_box,
    flip: bool = False,
    resizing: str = RESIZING,
) -> None:
    """Decode the frames `indices` of a video into `out`, uint8 RGB (T, H, W, 3), all cropped by the same box."""
    indices = indices.tolist()
    box = draw_box(*frame_size(pack, video.name, indices[0]))
    decode_frames(out, pack, video.name, indices, box, resizing)
    if flip:
        mirror(out)


def _undecodable(pack: Pack, video: str, index: int, error: ValueError) -> UserError:
    name = pack.path.stem
    return UserError(
        f"class {name}, video {video}, frame {index + 1} does not decode: {error}; extract the frames of {name} again"
    )
