from random import Random

import numpy as np
import pytest

from video3d.training.mixup import class_weights, cutmix_clips, mix_batch, mixup_clips, soft_targets


@pytest.fixture
def clips():
    """Four clips of 3 frames, each of one brightness: 0, 40, 80, 120."""
    return np.broadcast_to(np.arange(0, 160, 40, dtype=np.uint8)[:, None, None, None, None], (4, 3, 8, 8, 3)).copy()


def test_targets_are_one_for_the_label_or_smoothed():
    assert soft_targets(np.array([2, 0]), 4).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    assert soft_targets(np.array([1]), 4, smoothing=0.2)[0] == pytest.approx([0.05, 0.85, 0.05, 0.05])


def test_balanced_classes_count_the_same_together_and_videos_one_on_average():
    labels = [0, 0, 0, 1, 2, 2]
    assert class_weights("none", labels, 3).tolist() == [1, 1, 1]
    assert class_weights("balanced", labels, 3) == pytest.approx([2 / 3, 2, 1])  # 6 / (3 · 3), 6 / (3 · 1), 6 / (3 · 2)


def test_mixup_adds_up_parts(clips):
    mixed = mixup_clips(clips, np.array([1, 0, 3, 2]), 0.75)
    assert mixed[:, 0, 0, 0, 0].tolist() == [10, 30, 90, 110]  # 0·.75 + 40·.25, 40·.75 + 0·.25, …
    assert (mixed == mixed[:, :1, :1, :1, :1]).all()


def test_cutmix_pastes_one_rectangle_through_all_frames_and_channels(clips):
    permutation = np.array([1, 2, 3, 0])
    for seed in range(20):
        mixed, lam = cutmix_clips(clips, permutation, 0.5, Random(seed))
        pasted = mixed[:, :, :, :, :] == clips[permutation]
        assert (pasted == pasted[:1, :1, :, :, :1]).all()  # the same pixels in every clip, frame and channel
        assert lam == pytest.approx(1 - pasted[0, 0, :, :, 0].mean())
        rows, columns = pasted[0, 0, :, :, 0].any(1).sum(), pasted[0, 0, :, :, 0].any(0).sum()
        assert rows * columns == pasted[0, 0, :, :, 0].sum()  # it is a rectangle


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.8, 0), (0, 1.0), (0.8, 1.0)])
def test_targets_are_mixed_as_the_clips_are(clips, mixup, cutmix):
    labels = np.array([0, 1, 2, 3])
    for seed in range(10):
        mixed, mixed_targets = mix_batch(clips, soft_targets(labels, 4), mixup, cutmix, Random(seed))
        assert mixed_targets.sum(1) == pytest.approx(np.ones(4))
        brightness = mixed.mean(axis=(1, 2, 3, 4))
        assert np.abs(brightness - mixed_targets @ np.arange(0, 160, 40)).max() <= 1
        assert mixed_targets.dtype == np.float32 and mixed.dtype == np.uint8


def test_without_parameters_nothing_is_mixed(clips):
    targets = soft_targets(np.arange(4), 4)
    same, also = mix_batch(clips, targets, 0, 0, Random(0))
    assert same is clips and also is targets
