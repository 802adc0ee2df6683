"""Read clips from packs of frames: open the packs, decode the frames of a clip, crop and resize them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import simplejpeg

from video3d.clips.spatial_crops import RESIZING, Box, centre_box, change_colours, crop_resizer, decode, mirror
from video3d.common.errors import UserError
from video3d.dataset.split_table import Video
from video3d.frames.frame_pack import Pack


class ClipRequest(NamedTuple):
    """A clip to be decoded: frames of one video, and what becomes of their pixels.

    video: a row of the split table. pack: the pack of its class. indices: of the frames, int64 (T,), 0-based. box: the
    rectangle that is cut out of each frame. flip: whether left and right are swapped. colours: a change as
    `spatial_crops.random_colours` draws it. resizing: one of `spatial_crops.RESIZERS`.
    """

    video: Video
    pack: Pack
    indices: np.ndarray
    box: Box
    flip: bool = False
    colours: np.ndarray | None = None
    resizing: str = RESIZING


def centre_request(
    video: Video, pack: Pack, indices: np.ndarray, flip: bool = False, resizing: str = RESIZING
) -> ClipRequest:
    """Return the request for the centre square of some frames: the view of validation, evaluation and prediction.

    The arguments are the attributes of `ClipRequest`. Raises UserError if the size of the first frame cannot be read.
    """
    box = centre_box(*frame_size(pack, video.folder, int(indices[0])))
    return ClipRequest(video, pack, indices, box, flip, resizing=resizing)


def open_packs(frames: str | os.PathLike, videos: Sequence[Video]) -> dict[str, Pack]:
    """Open the packs of the videos' classes, <Class>.zip in the folder `frames`; return them by class name.

    Raises UserError if a pack is missing or holds other videos or other numbers of frames than the split table says.
    """
    packs = {
        name: Pack(Path(frames) / f"{pack}.zip")
        for name, pack in sorted({(video.class_name, video.pack) for video in videos})
    }
    for video in videos:
        found = packs[video.class_name].videos.get(video.folder, 0)
        if found != video.frames:
            raise UserError(
                f"{packs[video.class_name].path} holds {found} frames of {video.name}, but the split table says "
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
        video: the name of its folder in the pack.
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


def read_clip(out: np.ndarray, request: ClipRequest) -> None:
    """Decode a clip into `out`, uint8 RGB (T, size, size, 3). Raises what `decode_frames` raises."""
    indices = request.indices.tolist()
    decode_frames(out, request.pack, request.video.folder, indices, request.box, request.resizing)
    if request.flip:
        mirror(out)
    if request.colours is not None:
        change_colours(out, request.colours)


def _undecodable(pack: Pack, video: str, index: int, error: ValueError) -> UserError:
    name = pack.path.stem
    return UserError(
        f"class {name}, video {video}, frame {index + 1} does not decode: {error}; extract the frames of {name} again"
    )
