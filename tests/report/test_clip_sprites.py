"""Clips that move: the frames that the network saw, in their order, within the budget."""

from base64 import b64decode

import cv2
import numpy as np
import pytest
import simplejpeg

from video3d.common.settings import resolve
from video3d.frames.frame_pack import PackWriter
from video3d.report.clip_sprites import LOOKS, ClipName, Sprite, draw_sprites
from video3d.report.contact_sheets import FrameReader

EVALUATE = resolve({}).evaluate
NAMES = [ClipName("A", f"v{number}", 1) for number in range(6)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> FrameReader:
    """Six videos of 40 frames: of the first, frame k is grey of level 6 k; the others are noise."""
    folder = tmp_path_factory.mktemp("packs")
    rng = np.random.default_rng(0)
    ramp = [np.full((64, 80, 3), 6 * number, np.uint8) for number in range(40)]
    noise = list(rng.integers(0, 255, (40, 64, 80, 3), np.uint8))
    with PackWriter(folder / "A.zip") as pack:
        for name in NAMES:
            frames = ramp if name is NAMES[0] else noise
            pack.add(name.video, [simplejpeg.encode_jpeg(frame, quality=90) for frame in frames])
    return FrameReader(folder)


def picture(sprite: Sprite) -> np.ndarray:
    encoded = np.frombuffer(b64decode(sprite.uri.partition("base64,")[2]), np.uint8)
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)


def test_frames_stand_side_by_side_in_their_order(reader: FrameReader) -> None:
    (sprite,) = draw_sprites(NAMES[:1], reader, {1: 8}, EVALUATE, 10**9).values()
    assert sprite.frames == 8
    size = LOOKS[0].size
    assert picture(sprite).shape == (size, 8 * size, 3)
    levels = picture(sprite).reshape(size, 8, size, 3).mean(axis=(0, 2, 3))
    middles = [6 * (5 * part + 2) for part in range(8)]  # the protocol takes the middle frame of each of 8 equal parts
    assert np.abs(levels - middles).max() <= 6


def test_of_a_long_clip_some_frames_are_shown(reader: FrameReader) -> None:
    (sprite,) = draw_sprites(NAMES[:1], reader, {1: 20}, EVALUATE, 10**9).values()
    assert sprite.frames == 16
    first, last = picture(sprite)[:, : LOOKS[0].size], picture(sprite)[:, -LOOKS[0].size :]
    assert abs(first.mean() - 6 * 1) < 4
    assert abs(last.mean() - 6 * 39) < 4


def test_the_look_follows_the_budget(reader: FrameReader) -> None:
    whole = sum(len(sprite.uri) for sprite in draw_sprites(NAMES, reader, {1: 4}, EVALUATE, 10**9).values())
    sprites = draw_sprites(NAMES, reader, {1: 4}, EVALUATE, whole // 2)
    assert list(sprites) == NAMES
    assert sum(len(sprite.uri) for sprite in sprites.values()) <= whole // 2
    assert len(picture(sprites[NAMES[1]])) < LOOKS[0].size


def test_what_the_budget_does_not_hold_is_left_out_from_the_end(reader: FrameReader) -> None:
    sprites = draw_sprites(NAMES, reader, {1: 4}, EVALUATE, 3000)
    assert 0 < len(sprites) < len(NAMES)
    assert list(sprites) == NAMES[: len(sprites)]
    assert sum(len(sprite.uri) for sprite in sprites.values()) <= 3000


def test_a_clip_is_drawn_once(reader: FrameReader) -> None:
    sprites = draw_sprites([NAMES[1], NAMES[0], NAMES[1]], reader, {1: 4}, EVALUATE, 10**9)
    assert list(sprites) == [NAMES[1], NAMES[0]]
    assert len({sprite.key for sprite in sprites.values()}) == 2
