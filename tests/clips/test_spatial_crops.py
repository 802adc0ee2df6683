from random import Random

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image

from video3d.clips.spatial_crops import (
    FIRST_RESIZING,
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
    smoothing,
)
from video3d.frames.extraction import Decoders


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


def resized(image, box, size, **resizing):
    out = np.zeros((size, size, 3), np.uint8)
    crop_resizer(box, size, **resizing)(image, out)
    return out


def resized_by_pillow(image, box, size):
    crop = Image.fromarray(image[box.y : box.y + box.height, box.x : box.x + box.width])
    return np.asarray(crop.resize((size, size), Image.Resampling.BILINEAR))


def difference(ours, theirs):
    """PSNR in dB and mean difference in grey levels."""
    errors = np.asarray(ours, float) - np.asarray(theirs, float)
    return 10 * np.log10(255**2 / max(np.mean(errors**2), 1e-9)), np.abs(errors).mean()


@pytest.fixture(scope="module")
def real_frames(ucf101_mini):
    """The first frame of 15 videos as the workflow stores them by default, 240 × 320 pixels."""
    videos = sorted((ucf101_mini / "UCF-101").glob("*/*.avi"))[::5]
    with Decoders(videos, 240, 85, 2) as decoders:
        videos_frames = [list(decoders.frames(decoding)) for decoding in decoders]
    return [decode(jpegs[0]) for jpegs in videos_frames]


@pytest.mark.parametrize("size", [56, 112])
@pytest.mark.parametrize("crop_size", sorted(set(multi_scale_sizes(320, 240, 112))))
def test_real_crops_are_those_of_pillow(real_frames, crop_size, size):
    box = Box(30, 0, *crop_size)
    ours, theirs = ([resize(frame, box, size) for frame in real_frames] for resize in (resized, resized_by_pillow))
    psnr, mean = difference(ours, theirs)
    assert psnr > 40
    assert mean < 1.5


@pytest.mark.parametrize("box", [Box(5, 6, 40, 50), Box(0, 0, 112, 70), Box(9, 9, 112, 112)])
def test_real_crops_are_enlarged_as_by_pillow(real_frames, box):
    ours, theirs = ([resize(frame, box, 112) for frame in real_frames] for resize in (resized, resized_by_pillow))
    psnr, mean = difference(ours, theirs)
    assert psnr > 45  # both are plain bilinear interpolation, but for rounding
    assert mean < 0.6


@pytest.mark.parametrize("shrinking", [1, 2, 3, 4])
def test_whole_shrinking_is_that_of_pillow_to_the_rounding(shrinking):
    """Noise, which hides nothing; the filters differ at the very border, where half of theirs is cut off."""
    side = 56 * shrinking
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    box = Box(0, 0, side, side)
    ours, theirs = resized(noise, box, 56).astype(int), resized_by_pillow(noise, box, 56)
    assert np.abs(ours - theirs)[1:-1, 1:-1].max() <= 2


@pytest.mark.parametrize("shrinking", [1.001, 1.52, 2.0, 2.9, 17.3])
def test_smoothing_and_interpolation_make_a_triangle_as_wide_as_the_shrinking(shrinking):
    weights = smoothing(shrinking)
    places = np.arange(len(weights)) - len(weights) // 2
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    assert weights @ places**2 + 1 / 6 == pytest.approx(shrinking**2 / 6)  # a triangle's variance; 1/6 interpolates


def test_smoothing_of_two_pixels_by_hand():
    # A triangle of two pixels on either side is 0, 1/4, 1/2, 1/4, 0 at whole pixels; one of one pixel is 0, 1, 0.
    assert smoothing(2) == pytest.approx([0, 0.25, 0.5, 0.25, 0])
    assert smoothing(1.5) == pytest.approx([5 / 48, 38 / 48, 5 / 48])  # 5/12 of the way, as 1.5² = 1 + 5/12 · 3
    assert smoothing(1) == smoothing(0.4) == [1]


def test_the_first_resizing_is_that_of_opencv():
    image = np.random.default_rng(0).integers(0, 256, (170, 227, 3), dtype=np.uint8)
    for side, method in ((170, cv2.INTER_LINEAR), (112, cv2.INTER_AREA)):
        for size in (112, 56):
            method = cv2.INTER_AREA if side >= 2 * size else cv2.INTER_LINEAR
            expected = cv2.resize(image[:side, :side], (size, size), interpolation=method)
            assert np.array_equal(resized(image, Box(0, 0, side, side), size, resizing=FIRST_RESIZING), expected)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (300, 1), (2, 3), (999, 1), (57, 56)])
@pytest.mark.parametrize("size", [1, 56])
def test_odd_sizes_are_resized(width, height, size):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = resized(image, Box(0, 0, width, height), size)
    assert image.min() <= out.min() and out.max() <= image.max()
    assert np.array_equal(resized(np.full_like(image, 77), Box(0, 0, width, height), size), np.full_like(out, 77))


def test_a_crop_sees_nothing_beside_it():
    image = np.full((240, 320, 3), 255, np.uint8)
    box = Box(40, 8, 150, 200)
    image[box.y : box.y + box.height, box.x : box.x + box.width] = 10
    assert (resized(image, box, 56) == 10).all()


def test_a_crop_is_resized_into_its_place():
    out = np.zeros((3, 112, 112, 3), np.uint8)
    image = smooth_image(170, 227)
    crop_resizer(Box(10, 20, 150, 140), 112)(image, out[1])
    assert np.array_equal(out[1], resized(image, Box(10, 20, 150, 140), 112))
    assert not out[0].any() and not out[2].any()


def test_a_clip_is_mirrored_in_place():
    clip = np.random.default_rng(0).integers(0, 256, (5, 4, 7, 3), dtype=np.uint8)
    before = clip.copy()
    mirror(clip)
    assert np.array_equal(clip, before[:, :, ::-1])


def test_shrinking_averages_all_pixels():
    stripes = np.zeros((224, 224, 3), np.uint8)
    stripes[:, ::2] = 200  # bilinear sampling alone would see anything from 0 to 200
    out = resized(stripes, Box(0, 0, 224, 224), 56)[:, 1:-1]  # at the sides half of the filter is outside
    assert np.abs(out.astype(int) - 100).max() <= 6


def test_damaged_jpegs_raise():
    data = jpeg(smooth_image(64, 64))
    for damaged in (data[: len(data) // 2], b"", b"no jpeg at all"):
        with pytest.raises(ValueError):
            decode(damaged)
    assert decode(memoryview(data)).shape == (64, 64, 3)


def test_a_frame_is_decoded_into_the_memory_of_another():
    first, second = smooth_image(64, 48), smooth_image(64, 48)[::-1]
    image = decode(jpeg(first))
    again = decode(jpeg(second), image)
    assert np.shares_memory(again, image)
    assert np.array_equal(again, decode(jpeg(second)))
    with pytest.raises(ValueError, match="too small"):
        decode(jpeg(smooth_image(64, 65)), image)


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
