from random import Random

import cv2
import numpy as np
import pytest
import simplejpeg

from video3d.augment import (
    Box,
    centre_box,
    change_colours,
    corner_box,
    crop_resizer,
    decode,
    mirror,
    multi_scale_box,
    multi_scale_sizes,
    random_colours,
    random_resized_box,
)


def smooth_image(height, width):
    """A picture that JPEG keeps almost exactly: red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 90)], axis=2).astype(np.uint8)


def jpeg(image):
    return simplejpeg.encode_jpeg(np.ascontiguousarray(image), 100, colorsubsampling="444")


def test_multi_scale_sizes_of_the_reference():
    # 240 × {1, .875, .75, .66} = 240, 210, 180, 158; the two sides at most one step apart.
    a, b, c, d = 240, 210, 180, 158
    expected = {(a, a), (a, b), (b, a), (b, b), (b, c), (c, b), (c, c), (c, d), (d, c), (d, d)}
    sizes = multi_scale_sizes(320, 240, 112)
    assert len(sizes) == 10
    assert set(sizes) == expected


def test_a_length_near_the_clip_size_becomes_the_clip_size():
    # 167 × .66 = 110.2 → 110, which is 2 px from 112; 165 × .66 = 108.9 → 108, which is not near enough.
    assert (112, 112) in multi_scale_sizes(223, 167, 112)
    assert (108, 108) in multi_scale_sizes(220, 165, 112)


def test_multi_scale_boxes_take_13_positions_and_stay_inside():
    rng = Random(0)
    boxes = [multi_scale_box(227, 170, 112, rng) for _ in range(4000)]
    assert all(b.x >= 0 and b.y >= 0 and b.x + b.width <= 227 and b.y + b.height <= 170 for b in boxes)
    # 170 × .875 = 148: the free space is 79 × 22 px, its quarters are at 0, 19, 39, 59, 79 and 0, 5, 11, 16, 22.
    corners = {(b.x, b.y) for b in boxes if (b.width, b.height) == (148, 148)}
    outer = {(x, y) for x in (0, 39, 79) for y in (0, 11, 22)}
    inner = {(x, y) for x in (19, 59) for y in (5, 16)}
    assert corners == outer | inner


def test_the_centre_box_is_the_largest_centred_square():
    assert centre_box(320, 240) == Box(40, 0, 240, 240)
    assert centre_box(227, 170) == Box(28, 0, 170, 170)
    assert centre_box(100, 131) == Box(0, 15, 100, 100)


@pytest.mark.parametrize("box", [Box(10, 20, 112, 112), Box(0, 0, 170, 148), Box(3, 4, 80, 90)])
def test_a_crop_is_resized_into_its_place(box):
    image = smooth_image(170, 227)
    out = np.zeros((3, 112, 112, 3), np.uint8)
    crop_resizer(box, 112)(image, out[1])
    crop = image[box.y : box.y + box.height, box.x : box.x + box.width]
    assert np.array_equal(out[1], cv2.resize(crop, (112, 112)))
    assert not out[0].any() and not out[2].any()


def test_a_clip_is_mirrored_in_place():
    clip = np.random.default_rng(0).integers(0, 256, (5, 4, 7, 3), dtype=np.uint8)
    before = clip.copy()
    mirror(clip)
    assert np.array_equal(clip, before[:, :, ::-1])


def test_shrinking_to_half_or_less_averages_all_pixels():
    stripes = np.zeros((224, 224, 3), np.uint8)
    stripes[:, ::2] = 200  # bilinear sampling at every fourth pixel would see 100 or 0 or 200, an average only 100
    out = np.zeros((56, 56, 3), np.uint8)
    crop_resizer(Box(0, 0, 224, 224), 56)(stripes, out)
    assert np.abs(out.astype(int) - 100).max() <= 6


def test_damaged_jpegs_raise():
    data = jpeg(smooth_image(64, 64))
    for damaged in (data[: len(data) // 2], b"", b"no jpeg at all"):
        with pytest.raises(ValueError):
            decode(damaged)
    assert decode(memoryview(data)).shape == (64, 64, 3)


def test_a_frame_smaller_than_its_box_raises():
    for box in (Box(0, 0, 65, 64), Box(8, 0, 57, 64), Box(0, 1, 64, 64)):
        with pytest.raises(ValueError, match="64x64 pixels is smaller"):
            crop_resizer(box, 32)(smooth_image(64, 64), np.zeros((32, 32, 3), np.uint8))


def test_corner_boxes_are_squares_of_five_scales_at_five_places():
    rng = Random(0)
    boxes = {corner_box(320, 240, 112, rng) for _ in range(1000)}
    assert {box.width for box in boxes} == {240, 201, 169, 142, 120}  # 240 × 2^-k/4
    assert all(box.width == box.height for box in boxes)
    assert {(b.x, b.y) for b in boxes if b.width == 120} == {(0, 0), (200, 0), (0, 120), (200, 120), (100, 60)}


def test_random_resized_boxes_keep_to_area_and_ratio():
    rng = Random(0)
    boxes = [random_resized_box(227, 170, 112, rng) for _ in range(2000)]
    shares = np.array([b.width * b.height / (227 * 170) for b in boxes])
    ratios = np.array([b.width / b.height for b in boxes])
    assert 0.075 < shares.min() < 0.12 and 0.9 < shares.max() <= 1
    assert 0.73 < ratios.min() < 0.78 and 1.28 < ratios.max() < 1.37
    assert all(b.x >= 0 and b.y >= 0 and b.x + b.width <= 227 and b.y + b.height <= 170 for b in boxes)
    assert isinstance(random_resized_box(1000, 10, 112, rng), Box)


def test_colours_change_by_brightness_contrast_and_saturation_of_the_whole_clip():
    clip = np.zeros((2, 4, 4, 3), np.uint8)
    clip[0], clip[1] = [100, 50, 10], [200, 100, 60]
    colours = random_colours(0.4, Random(5))
    rng = Random(5)
    b, c, s = [rng.uniform(0.6, 1.4) for _ in range(3)]
    grey = clip.astype(float) @ [0.299, 0.587, 0.114]
    mixed = s * clip + (1 - s) * grey[..., None]
    expected = np.clip(b * (c * mixed + (1 - c) * grey.mean()), 0, 255)
    change_colours(clip, colours)
    assert np.abs(clip - expected).max() <= 1


def test_no_jitter_changes_no_colour():
    clip = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    before = clip.copy()
    change_colours(clip, random_colours(0, Random(0)))
    assert np.array_equal(clip, before)
