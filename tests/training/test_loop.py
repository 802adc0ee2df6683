import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
import simplejpeg

from helpers.tiny_packs import write_dataset
from video3d.clips.clip_reader import open_packs
from video3d.common.errors import UserError
from video3d.common.settings import resolve
from video3d.dataset.split_table import read_split
from video3d.training import loop
from video3d.training.checkpoint import State
from video3d.training.job import Job
from video3d.weights.pdparams import save_weights

SETTINGS = {
    "model": {"depth": 10, "width": 4, "dropout": 0.3},
    "clip": {"frames": 4, "size": 16},
    "train": {"batch_size": 4, "epochs": 2, "learning_rate": 0.05},
}


@pytest.fixture
def job(tmp_path):
    folder = write_dataset(tmp_path, classes=["Archery", "Bowling"], videos=5, frames=9)
    videos = read_split(folder / "split1.csv")
    return Job(
        settings=resolve(SETTINGS).model_dump(),
        classes=["Archery", "Bowling"],
        training=videos,
        validation=[],
        packs=open_packs(folder / "frames", videos),
        seed=1,
        workers=2,
        checkpoints=tmp_path / "checkpoints",
        key="key",
    )


def fingerprint(network):
    """One hash of all weights and statistics, bit for bit."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


class Killed(BaseException):
    """Stands for a process that ends in the middle of a step."""


def train_and_kill(job, monkeypatch, after):
    """Train, but be killed before step number `after` (from 0, over all epochs), with a checkpoint at every step."""
    gradients = loop.Learner.gradients
    calls = iter(range(after))

    def killed_step(*arguments, **named):
        if next(calls, None) is None:
            raise Killed
        return gradients(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Learner, "gradients", killed_step)
        patch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", 0)
        with pytest.raises(Killed):
            loop.train(job)


def test_equal_seeds_give_equal_weights_for_any_number_of_workers(job, tmp_path):
    prints = {
        fingerprint(loop.train(replace(job, workers=workers, checkpoints=tmp_path / str(workers)))[0])
        for workers in (1, 2, 5)
    }
    assert len(prints) == 1
    assert fingerprint(loop.train(replace(job, seed=2, checkpoints=tmp_path / "seed"))[0]) not in prints


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(job, tmp_path, monkeypatch, after):
    whole, state = loop.train(replace(job, checkpoints=tmp_path / "whole"))
    train_and_kill(job, monkeypatch, after)
    resumed, resumed_state = loop.train(job)
    assert fingerprint(resumed) == fingerprint(whole)
    assert [row["loss"] for row in resumed_state.history] == [row["loss"] for row in state.history]


def test_a_finished_training_is_not_repeated(job, monkeypatch):
    network, state = loop.train(replace(job, software={"device": "gpu"}))
    monkeypatch.setattr(loop.Learner, "gradients", lambda *_: pytest.fail("trained again"))
    again, again_state = loop.train(replace(job, software={"device": "cpu"}))
    assert fingerprint(again) == fingerprint(network)
    assert again_state.history == state.history
    assert again_state.software == {"device": "gpu"}  # what it was trained with, not what took it over


def test_every_epoch_shows_each_video_at_most_once_in_a_new_order(job):
    orders = [
        [video.name for batch in loop.training_batches(job, epoch, order) for video in batch.items]
        for epoch, order in ((epoch, loop.training_order(job, epoch)) for epoch in (1, 2))
    ]
    for order in orders:
        assert len(order) == len(set(order)) == 8  # 10 videos, batches of 4: the incomplete last one is dropped
    assert orders[0] != orders[1]


def test_the_history_has_a_row_per_epoch(job):
    validated = replace(job, training=job.training[:4] + job.training[5:], validation=job.training[4:5])
    history = loop.train(validated)[1].history
    assert [row["epoch"] for row in history] == [1, 2]
    assert list(history[0]) == [
        "epoch", "learning_rate", "loss", "top1", "validation_loss", "validation_top1", "clips_per_second",
        "wait_share", "seconds",
    ]  # fmt: skip
    assert history[1]["validation_top1"] in (0.0, 1.0)
    assert 0 <= history[1]["wait_share"] <= 1


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_with_no_or_one_training_video_is_named(job, count):
    with pytest.raises(UserError, match=f"a class needs two training videos or more.* fewer: Bowling {count};"):
        loop.train(replace(job, training=job.training[: 5 + count]))


def test_a_batch_larger_than_the_data_is_named(job):
    settings = job.settings | {"train": job.settings["train"] | {"batch_size": 11}}
    with pytest.raises(UserError, match=r"batch_size: 11 is larger than the data: there are 10"):
        loop.train(replace(job, settings=settings))


def test_an_infinite_loss_stops_with_the_names_of_the_videos(job):
    settings = job.settings | {"train": job.settings["train"] | {"learning_rate": 1e30}}
    with pytest.raises(UserError, match=r"the loss became (nan|inf) in epoch \d, step \d; .*v_\w+_g\d\d_c01"):
        loop.train(replace(job, settings=settings))


def test_a_training_starts_from_weights_with_a_new_classifier(job, tmp_path):
    network, _ = loop.train(job)
    path = tmp_path / "start.pdparams"
    metadata = {"labels": job.classes, "model": job.settings["model"], "clip": job.settings["clip"]}
    save_weights(path, network, metadata)
    frozen = {name: 0 for name in ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")}
    settings = job.settings | {"train": job.settings["train"] | {"weights": str(path), "lr_multipliers": frozen}}
    three = [*job.training[:8], *(video._replace(label=2) for video in job.training[8:])]
    folder = tmp_path / "tuned"
    tuned, _ = loop.train(replace(job, settings=settings, classes=["A", "B", "C"], training=three, checkpoints=folder))
    before, after = network.state_dict(), tuned.state_dict()
    changed = {name for name in before if not np.array_equal(before[name].numpy(), after[name].numpy())}
    assert changed == {"fc.weight", "fc.bias"}
    wider = settings | {"model": settings["model"] | {"width": 8}}
    with pytest.raises(UserError, match="width"):
        loop.train(replace(job, settings=wider, checkpoints=tmp_path / "wider"))


def test_every_ingredient_of_the_recipes_trains_and_resumes(job, tmp_path, monkeypatch):
    ingredients = {
        "sampling": "consecutive", "crop": "random_resized", "colour_jitter": 0.4, "mixup": 0.2, "cutmix": 1.0,
        "label_smoothing": 0.1, "schedule": "cosine", "warmup_epochs": 1, "decay_norms_and_biases": False,
        "ema_decay": 0.9, "max_grad_norm": 1.0, "gradient_accumulation_steps": 2,
    }  # fmt: skip
    settings = job.settings | {"train": job.settings["train"] | ingredients}
    settings["clip"] = settings["clip"] | {"input": "difference"}
    modern = replace(job, settings=settings, validation=job.training[:2])
    whole, state = loop.train(replace(modern, checkpoints=tmp_path / "whole"))
    train_and_kill(modern, monkeypatch, 3)
    resumed, again = loop.train(modern)
    assert fingerprint(resumed) == fingerprint(whole)
    assert [row["validation_loss"] for row in again.history] == [row["validation_loss"] for row in state.history]


@pytest.fixture
def textured(job, tmp_path):
    """As `job`, of frames that a crop or a mirror changes, for one epoch."""
    rng = np.random.default_rng(0)
    pictures = [cv2.resize(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8), (32, 24)) for _ in range(9)]
    jpegs = [simplejpeg.encode_jpeg(picture, 95) for picture in pictures]
    folder = write_dataset(tmp_path / "textured", classes=["Archery", "Bowling"], videos=5, jpegs=jpegs)
    videos = read_split(folder / "split1.csv")
    settings = job.settings | {"train": job.settings["train"] | {"epochs": 1}}
    settings["model"] = settings["model"] | {"dropout": 0}  # whose draws come after all others
    return replace(job, settings=settings, training=videos, packs=open_packs(folder / "frames", videos))


@pytest.mark.parametrize(
    "changed",
    [
        {"crop": "corners"}, {"crop": "random_resized"}, {"crop": "centre"}, {"flip": 1.0},
        {"colour_jitter": 0.4}, {"mixup": 0.5}, {"cutmix": 1.0}, {"label_smoothing": 0.1}, {"ema_decay": 0.9},
        {"max_grad_norm": 0.01}, {"gradient_accumulation_steps": 2}, {"momentum": 0.5}, {"weight_decay": 0.1},
        {"warmup_epochs": 1},
        {"decay_norms_and_biases": False}, {"lr_multipliers": {"layer4": 0.1}}, {"milestones": [1]}, {"batch_size": 5},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_reaches_the_training(textured, changed, tmp_path):
    prints = set()
    for number, train in enumerate(({}, changed)):
        settings = textured.settings | {"train": textured.settings["train"] | train}
        job = replace(textured, settings=settings, checkpoints=tmp_path / str(number))
        prints.add(fingerprint(loop.train(job)[0]))
    assert len(prints) == 2


def test_the_sampling_is_that_of_the_settings(textured, monkeypatch):
    drawn = []
    monkeypatch.setattr(loop, "fill_clip", lambda *given: drawn.append(np.diff(given[3])))
    for sampling in ("segments", "consecutive"):
        settings = textured.settings | {"train": textured.settings["train"] | {"sampling": sampling}}
        for video in textured.training:
            loop.training_view(replace(textured, settings=settings), 1)(None, video)
    count = len(textured.training)
    assert any((steps != 1).any() for steps in drawn[:count])
    assert all((steps == 1).all() for steps in drawn[count:])


def test_the_seed_reaches_order_sampling_crop_and_initialisation(textured, monkeypatch):
    other = replace(textured, seed=2)
    assert loop.training_order(textured, 1) != loop.training_order(other, 1)
    drawn = {job.seed: [] for job in (textured, other)}
    for job in (textured, other):
        monkeypatch.setattr(loop, "fill_clip", lambda *given, seed=job.seed: drawn[seed].append(given[3:]))
        for video in textured.training:
            loop.training_view(job, 1)(None, video)
    for part, chosen in enumerate((list, lambda box: box(320, 240), bool)):  # frames, crop, mirrored
        assert [chosen(given[part]) for given in drawn[1]] != [chosen(given[part]) for given in drawn[2]]
    monkeypatch.undo()
    first = [set(network.conv1.weight.numpy().ravel()) for network in map(untrained, (textured, other))]
    assert first[0] != first[1]


def untrained(job):
    """The network before its first step, from a training whose learning rate is next to nothing."""
    settings = job.settings | {"train": job.settings["train"] | {"learning_rate": 1e-30}}
    return loop.train(replace(job, settings=settings, checkpoints=job.checkpoints / str(job.seed)))[0]


def test_a_plateau_looks_at_the_losses_of_the_validation(job):
    train = job.settings["train"] | {"schedule": "plateau", "epochs": 50}
    job = replace(job, settings=job.settings | {"train": train})
    falling, standing = (
        State(epoch=30, history=[{"validation_loss": loss} for loss in losses])
        for losses in ([1 / n for n in range(1, 30)], [1.0] * 29)
    )
    assert loop.current_rate(job, falling, 0) == 0.05
    assert loop.current_rate(job, standing, 0) < 0.01


def test_a_plateau_needs_validation_groups(job):
    settings = job.settings | {"train": job.settings["train"] | {"schedule": "plateau"}}
    with pytest.raises(UserError, match="plateau needs validation_groups"):
        loop.train(replace(job, settings=settings))
