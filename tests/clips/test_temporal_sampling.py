from random import Random

import numpy as np
import pytest

from video3d.clips.temporal_sampling import consecutive_indices, segment_indices, sliding_clips, uniform_clips


def test_segments_of_evaluation_are_the_middles_of_equal_parts():
    # int(100/32 + i·100/16): 3.125, 9.375, 15.625, …
    expected = [3, 9, 15, 21, 28, 34, 40, 46, 53, 59, 65, 71, 78, 84, 90, 96]
    indices = segment_indices(100, 16)
    assert indices.tolist() == expected
    assert indices.dtype == np.int64


@pytest.mark.parametrize("frames", range(17, 400))
def test_segments_of_evaluation_follow_the_reference_formula(frames):
    assert segment_indices(frames, 16).tolist() == [int(frames / 32 + i * frames / 16) for i in range(16)]


@pytest.mark.parametrize("frames", [1, 15, 16])
def test_a_video_without_more_frames_than_segments_gives_its_first_frame(frames):
    assert segment_indices(frames, 16).tolist() == [0] * 16
    assert segment_indices(frames, 16, Random(0)).tolist() == [0] * 16


def test_training_segments_draw_every_frame_of_each_part_and_never_the_remainder():
    rng = Random(0)
    drawn = np.array([segment_indices(70, 16, rng) for _ in range(300)])  # 70 // 16 = 4: the last 6 frames are left out
    for part in range(16):
        assert set(drawn[:, part]) == {4 * part, 4 * part + 1, 4 * part + 2, 4 * part + 3}


def test_consecutive_clips_start_anywhere_and_loop_when_the_video_is_short():
    rng = Random(0)
    starts = {int(consecutive_indices(20, 16, rng)[0]) for _ in range(200)}
    assert starts == {0, 1, 2, 3, 4}
    assert consecutive_indices(20, 16).tolist() == list(range(2, 18))
    assert consecutive_indices(3, 8, rng).tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_sliding_clips_do_not_overlap_and_the_last_one_repeats_its_own_frames():
    assert sliding_clips(11, 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 8]]
    assert sliding_clips(8, 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert sliding_clips(1, 3).tolist() == [[0, 0, 0]]


def test_uniform_clips_reach_both_ends():
    assert uniform_clips(10, 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert uniform_clips(10, 4, 1).tolist() == [[3, 4, 5, 6]]
    assert uniform_clips(3, 4, 2).tolist() == [[0, 1, 2, 0], [0, 1, 2, 0]]


@pytest.mark.parametrize("function", [segment_indices, consecutive_indices, sliding_clips])
def test_no_frames_is_an_error(function):
    with pytest.raises(ValueError, match="0 frames"):
        function(0, 16)
