"""The views of each protocol, against indices worked out by hand."""

from typing import get_args

import pytest

from video3d.common.settings import EvaluateSettings, UniformViews
from video3d.evaluation.protocols import PROTOCOLS, describe_protocol, views

UNIFORM = UniformViews(clips=3, flip=True)


def test_segments_is_one_clip_of_the_middles():
    shown = views("segments", 10, 4, UNIFORM)  # int(10 / 8 + i * 10 / 4)
    assert shown.indices.tolist() == [[1, 3, 6, 8]]
    assert shown.mirrored.tolist() == [False]


def test_sliding_covers_every_frame_and_loops_the_last_clip():
    shown = views("sliding", 10, 4, UNIFORM)
    assert shown.indices.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 8, 9]]
    assert not shown.mirrored.any()


def test_uniform_shows_every_clip_twice_with_flip():
    shown = views("uniform", 10, 4, UNIFORM)
    clips = [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert shown.indices.tolist() == clips + clips
    assert shown.mirrored.tolist() == [False] * 3 + [True] * 3


def test_uniform_without_flip():
    shown = views("uniform", 10, 4, UniformViews(clips=1, flip=False))
    assert shown.indices.tolist() == [[3, 4, 5, 6]]
    assert shown.mirrored.tolist() == [False]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("frames", [1, 3, 4, 5, 100])
def test_indices_exist_in_videos_of_any_length(protocol, frames):
    shown = views(protocol, frames, 4, UNIFORM)
    assert len(shown.indices) == len(shown.mirrored) >= 1
    assert shown.indices.min() >= 0
    assert shown.indices.max() < frames


def test_unknown_protocol():
    with pytest.raises(ValueError, match="segments, sliding, uniform"):
        views("tenfold", 10, 4, UNIFORM)


def test_descriptions_tell_numbers():
    assert describe_protocol("segments", 4, 112, UNIFORM) == (
        "1 clip a video: the middle frames of 4 equal parts; centre crop, 112×112 pixels"
    )
    assert "3 evenly spaced clips of 4 frames, each also mirrored" in describe_protocol("uniform", 4, 112, UNIFORM)


def test_the_settings_know_the_same_protocols():
    (protocols,) = get_args(EvaluateSettings.model_fields["protocols"].annotation)
    assert get_args(protocols) == PROTOCOLS
