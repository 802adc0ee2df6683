"""What the demo's network learns is motion: from clips of one repeated frame it learns nothing."""

import cv2
import numpy as np
import paddle
import pytest

import make_demo_dataset as demo
from video3d.clips.temporal_sampling import segment_indices
from video3d.common.settings import resolve
from video3d.model.resnet3d import build_network
from video3d.training.mixup import soft_targets
from video3d.training.trainer import Trainer

FRAMES, SIZE, BATCH, EPOCHS = 8, 40, 8, 4
TEST_GROUPS = range(1, 8)


def make_clips(groups, still):
    """Clips, uint8 (N, T, H, W, 3), and labels of two videos per class and group; `still` repeats a random frame."""
    rng = np.random.default_rng(0)
    clips, labels = [], []
    for moving, names in demo.MOTIONS.items():
        for group in groups:
            for clip in (1, 2):
                video = demo.render_video(moving, group, clip)
                for name, frames in zip(names, (video, video[::-1]), strict=True):
                    indices = segment_indices(len(frames), FRAMES)
                    if still:
                        indices = np.full(FRAMES, rng.integers(len(frames)))
                    clips.append([cv2.resize(frame[:, 12:84], (SIZE, SIZE)) for frame in frames[indices]])
                    labels.append(demo.CLASSES.index(name))
    return np.array(clips), np.array(labels)


def accuracy(still):
    """Top-1 on the videos of unseen groups after a short training with a smaller network than the demo's."""
    settings = resolve({"model": {"depth": 10, "width": 8}, "clip": {"frames": FRAMES, "size": SIZE}})
    paddle.seed(0)
    network = build_network(settings.model.model_dump(), len(demo.CLASSES))
    trainer = Trainer(network, settings.clip, settings.train, threads=2)
    clips, labels = make_clips([group for group in demo.GROUPS if group not in TEST_GROUPS], still)
    steps = EPOCHS * len(clips) // BATCH
    order = np.concatenate([np.random.default_rng(epoch).permutation(len(clips)) for epoch in range(EPOCHS)])
    for step, batch in enumerate(order[: steps * BATCH].reshape(steps, BATCH)):
        rate = 0.02 * (1 + np.cos(np.pi * step / steps)) / 2
        trainer.step(clips[batch], soft_targets(labels[batch], len(demo.CLASSES)), rate, step)
    clips, labels = make_clips(TEST_GROUPS, still)
    predicted = np.concatenate([trainer.predict(part).argmax(1) for part in np.array_split(clips, 6)])
    return (predicted == labels).mean()


@pytest.mark.parametrize(("still", "low", "high"), [(False, 0.7, 1), (True, 0, 0.35)], ids=["motion", "one frame"])
def test_motion_is_learned_and_single_frames_tell_nothing(still, low, high):
    """Chance is 1/6; 0.35 is 4.5 standard errors of 84 videos above it."""
    assert low <= accuracy(still) <= high
