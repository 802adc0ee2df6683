"""Which pixels of a frame the network sees: crops, mirroring and resizing, the same for all frames of a clip.

What is drawn (by pure functions of the frame's size and a random generator) is apart from how it is done
(`crop_resizer`).
"""

import math
from collections.abc import Callable
from functools import cache
from random import Random
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
CORNER_SCALES = tuple(2 ** (-step / 4) for step in range(5))
# What weights and exported models say of how their pictures were resized; those of the first version say nothing.
RESIZING, FIRST_RESIZING = "triangle", "area or bilinear"
SMALLEST_AREA = 0.08  # of a random resized crop, as a share of the frame
GREY = np.array([0.299, 0.587, 0.114])  # luma of ITU-R BT.601, as JPEG has it


class Box(NamedTuple):
    """A rectangle of a frame, in pixels from its top left corner."""

    x: int
    y: int
    width: int
    height: int


def centre_box(width: int, height: int) -> Box:
    """Return the largest centred square: the view of validation, evaluation and prediction.

    Resized, it is the centre crop of a frame whose short side was resized to its size.
    """
    side = min(width, height)
    return Box((width - side) // 2, (height - side) // 2, side, side)


@cache
def multi_scale_sizes(width: int, height: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return the ten (width, height) pairs that `multi_scale_box` draws from; for small frames, some are equal.

    Each side is the frame's shorter side × {1, .875, .75, .66}, the two factors at most one step apart; a length less
    than 3 px away from `size` becomes `size`, which spares the resizing.
    """
    lengths = [int(min(width, height) * factor) for factor in MULTI_SCALE_FACTORS]
    if size <= min(width, height):
        lengths = [size if abs(length - size) < MULTI_SCALE_SNAP else length for length in lengths]
    return tuple((w, h) for i, h in enumerate(lengths) for j, w in enumerate(lengths) if abs(i - j) <= 1)


def multi_scale_box(width: int, height: int, size: int, rng: Random) -> Box:
    """Draw a crop of one of ten sizes at one of 13 positions, to be resized to `size` × `size`.

    The positions of its corner are 13 of the 5 × 5 grid of quarters of the free space: corners, centre, middles of the
    edges, inner quarters.
    Source: Wang et al., "Towards Good Practices for Very Deep Two-Stream ConvNets", arXiv 1507.02159, section 3.
    """
    box_width, box_height = rng.choice(multi_scale_sizes(width, height, size))
    column, row = rng.choice(MULTI_SCALE_POSITIONS)
    return Box(column * (width - box_width) // 4, row * (height - box_height) // 4, box_width, box_height)


def corner_box(width: int, height: int, size: int, rng: Random) -> Box:
    """Draw a square of one of five scales in one of the four corners or the centre; `size` does not matter.

    Its side is the shorter side × {1, 2^-1/4, 2^-1/2, 2^-3/4, 1/2}.
    Source: Hara et al., "Can Spatiotemporal 3D CNNs Retrace …", CVPR 2018, section 3.2.
    """
    side = int(min(width, height) * rng.choice(CORNER_SCALES))
    right, bottom = width - side, height - side
    corners = [(0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2)]
    return Box(*rng.choice(corners), side, side)


def random_resized_box(width: int, height: int, size: int, rng: Random) -> Box:
    """Draw a rectangle of 8 to 100 % of the frame's area and a ratio of 3:4 to 4:3, anywhere; `size` does not matter.

    If ten draws do not fit into the frame, it is the centre square.
    Source: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 6.
    """
    for _ in range(10):
        area = width * height * rng.uniform(SMALLEST_AREA, 1)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        box_width, box_height = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if 0 < box_width <= width and 0 < box_height <= height:
            x, y = rng.randrange(width - box_width + 1), rng.randrange(height - box_height + 1)
            return Box(x, y, box_width, box_height)
    return centre_box(width, height)


def random_colours(strength: float, rng: Random) -> np.ndarray:
    """Draw a change of brightness, contrast and saturation, each by a factor from 1 - strength to 1 + strength.

    Returned as a matrix, float64 (3, 4), for `change_colours`: what red, green and blue become, and in the last column
    how much of the clip's mean grey is added.
    Source: Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", ICLR 2014.
    """
    brightness, contrast, saturation = (rng.uniform(1 - strength, 1 + strength) for _ in range(3))
    mixing = saturation * np.eye(3) + (1 - saturation) * GREY
    return brightness * np.column_stack([contrast * mixing, np.full(3, 1 - contrast)])


def change_colours(clip: np.ndarray, colours: np.ndarray) -> None:
    """Apply the same `random_colours` to all frames of a clip, uint8 RGB (T, H, W, 3), in place."""
    picture = clip.reshape(-1, *clip.shape[2:])
    mean_grey = float(GREY @ picture.mean(axis=(0, 1)))
    cv2.transform(picture, np.column_stack([colours[:, :3], colours[:, 3] * mean_grey]), dst=picture)


def decode(jpeg: bytes | memoryview, buffer: np.ndarray | None = None) -> np.ndarray:
    """Return a frame, uint8 RGB (H, W, 3), in the memory of the frame `buffer` if one is given.

    Fresh memory for each frame takes as long as half the decoding. Raises ValueError if the JPEG is damaged, truncated
    or too large for the buffer.
    """
    return simplejpeg.decode_jpeg(jpeg, "RGB", buffer=buffer)


def crop_resizer(box: Box, size: int, resizing: str = RESIZING) -> Callable[[np.ndarray, np.ndarray], None]:
    """Return the function (image, out) that writes the `box` of an image, resized, into `out`: both uint8 RGB.

    `out` has `size` × `size` pixels; `resizing` is one of `RESIZERS`. The function raises ValueError if the image is
    too small for the box, and is for one thread. What is the same for all frames of a clip is done here, once, as
    threads wait for each other's Python.
    """
    x, y, width, height = box
    place, shape = (slice(y, y + height), slice(x, x + width)), (height, width, 3)
    resize = RESIZERS[resizing](width, height, size)

    def crop_resize(image: np.ndarray, out: np.ndarray) -> None:
        crop = image[place]
        if crop.shape != shape:
            raise ValueError(
                f"a frame of {image.shape[1]}x{image.shape[0]} pixels is smaller than the first of its clip"
            )
        resize(crop, out)

    return crop_resize


def triangle_resizer(width: int, height: int, size: int) -> Callable[[np.ndarray, np.ndarray], None]:
    """Return a function that resizes with a triangle filter, in each axis as wide as the shrinking: Pillow's bilinear.

    Bilinear interpolation alone would skip pixels where it shrinks. It is a triangle filter of one pixel on either
    side, so the picture is first smoothed by what is missing to the wider one. The outcome is within a grey level of
    Pillow's on average, and takes a quarter of the time.
    """
    across, down = smoothing(width / size), smoothing(height / size)
    smooth = np.empty((height, width, 3), np.uint8) if max(len(across), len(down)) > 1 else None

    def resize(crop: np.ndarray, out: np.ndarray) -> None:
        if smooth is not None:
            crop = cv2.sepFilter2D(crop, -1, across, down, smooth)
        cv2.resize(crop, (size, size), out, 0, 0, cv2.INTER_LINEAR)

    return resize


@cache
def smoothing(shrinking: float) -> np.ndarray:
    """Return weights, float64 (taps,), that turn bilinear interpolation into a triangle filter of `shrinking` pixels.

    Interpolated between whole pixels, a triangle of n pixels stays one, of variance n² / 6, as interpolation adds 1/6
    to the (n² - 1) / 6 of its weights. Between two whole n, theirs are mixed to the variance wanted.
    """
    if shrinking <= 1:
        return np.ones(1)
    whole = int(shrinking)
    share = (shrinking**2 - whole**2) / (2 * whole + 1)
    return (1 - share) * np.pad(_triangle(whole), 1) + share * _triangle(whole + 1)


def _triangle(pixels: int) -> np.ndarray:
    """Return a triangle filter of a whole number of pixels on either side, at whole pixels: two averages in a row."""
    average = np.full(pixels, 1 / pixels)
    return np.convolve(average, average)


def area_or_bilinear_resizer(width: int, height: int, size: int) -> Callable[[np.ndarray, np.ndarray], None]:
    """Return a function that resizes as the first version of this project did, for models that were trained with it.

    It averages areas where it shrinks to half or less, and interpolates bilinearly, skipping pixels, elsewhere.
    """
    method = cv2.INTER_AREA if min(width, height) >= 2 * size else cv2.INTER_LINEAR
    return lambda crop, out: cv2.resize(crop, (size, size), out, 0, 0, method)


RESIZERS = {RESIZING: triangle_resizer, FIRST_RESIZING: area_or_bilinear_resizer}


def mirror(clip: np.ndarray) -> None:
    """Swap left and right in all frames of a clip, uint8 RGB (T, H, W, 3), in place."""
    picture = clip.reshape(-1, *clip.shape[2:])
    cv2.flip(picture, 1, dst=picture)
