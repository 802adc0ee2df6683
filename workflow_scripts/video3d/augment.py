"""Which pixels of a frame the network sees: crops, mirroring and resizing, the same for all frames of a clip.

Drawing (pure functions of the frame's size and a random generator) is apart from doing (`decode_crop_resize`).
"""

from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg

cv2.setNumThreads(1)  # the loader's threads share the work: one clip, one thread

MULTI_SCALE_FACTORS = (1, 0.875, 0.75, 0.66)
MULTI_SCALE_SNAP = 3
MULTI_SCALE_POSITIONS = (
    *((0, 0), (4, 0), (0, 4), (4, 4), (2, 2)),  # corners and centre
    *((0, 2), (4, 2), (2, 4), (2, 0)),  # middles of the edges
    *((1, 1), (3, 1), (1, 3), (3, 3)),  # inner quarters
)


class Box(NamedTuple):
    """A rectangle of a frame, in pixels from its top left corner."""

    x: int
    y: int
    width: int
    height: int


def centre_box(width: int, height: int) -> Box:
    """The largest centred square: resized, it is the centre crop of a frame whose short side was resized to its size.

    This is the view of validation, evaluation and prediction.
    """
    side = min(width, height)
    return Box((width - side) // 2, (height - side) // 2, side, side)


def multi_scale_sizes(width: int, height: int, size: int) -> list[tuple[int, int]]:
    """The (width, height) pairs that `multi_scale_box` draws from: ten, some of them equal for small frames.

    Each side is the frame's shorter side × {1, .875, .75, .66}, the two factors at most one step apart; a length less
    than 3 px away from `size` becomes `size`, which spares the resizing.
    """
    lengths = [int(min(width, height) * factor) for factor in MULTI_SCALE_FACTORS]
    if size <= min(width, height):
        lengths = [size if abs(length - size) < MULTI_SCALE_SNAP else length for length in lengths]
    return [(w, h) for i, h in enumerate(lengths) for j, w in enumerate(lengths) if abs(i - j) <= 1]


def multi_scale_box(width: int, height: int, size: int, rng: np.random.Generator) -> Box:
    """A crop of one of ten sizes at one of 13 positions, to be resized to `size` × `size`.

    The positions of its corner are 13 of the 5 × 5 grid of quarters of the free space: corners, centre, middles of the
    edges, inner quarters.
    Source: Wang et al., "Towards Good Practices for Very Deep Two-Stream ConvNets", arXiv 1507.02159, section 3.
    """
    sizes = multi_scale_sizes(width, height, size)
    box_width, box_height = sizes[rng.integers(len(sizes))]
    column, row = MULTI_SCALE_POSITIONS[rng.integers(len(MULTI_SCALE_POSITIONS))]
    return Box(column * (width - box_width) // 4, row * (height - box_height) // 4, box_width, box_height)


def decode_crop_resize(jpeg: bytes | memoryview, box: Box, flip: bool, out: np.ndarray) -> None:
    """Decode one JPEG and write its `box`, resized and mirrored if `flip`, into `out`, uint8 RGB (size, size, 3).

    Resizes bilinearly, but by averaging areas where it shrinks to half or less: there bilinear would skip pixels.
    Raises ValueError if the JPEG is damaged or truncated.
    """
    image = simplejpeg.decode_jpeg(jpeg, "RGB")
    if box.x + box.width > image.shape[1] or box.y + box.height > image.shape[0]:
        raise ValueError(f"a frame of {image.shape[1]}x{image.shape[0]} pixels is smaller than the first of its clip")
    crop = image[box.y : box.y + box.height, box.x : box.x + box.width]
    height, width = out.shape[:2]
    halves = min(box.width / width, box.height / height) >= 2
    cv2.resize(crop, (width, height), dst=out, interpolation=cv2.INTER_AREA if halves else cv2.INTER_LINEAR)
    if flip:
        cv2.flip(out, 1, dst=out)


def jpeg_size(jpeg: bytes | memoryview) -> tuple[int, int]:
    """Width and height of a JPEG, from its header. Raises ValueError if it has none."""
    height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
    return width, height
