import hashlib
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
import simplejpeg

from helpers.exported import description
from helpers.tiny_packs import write_dataset
from video3d.clips.clip_reader import open_packs
from video3d.common.errors import UserError
from video3d.common.settings import Settings, resolve, select
from video3d.dataset.split_table import read_split
from video3d.training import loop
from video3d.training.augmentation import training_request
from video3d.training.batches import BatchSource, TrainingData
from video3d.training.checkpoint import Checkpoint, State
from video3d.training.loop import Machine
from video3d.training.randomness import generator
from video3d.weights.pdparams import save_weights

SETTINGS = {
    "model": {"depth": 10, "width": 4, "dropout": 0.3},
    "clip": {"frames": 4, "size": 16},
    "train": {"batch_size": 4, "epochs": 2, "learning_rate": 0.05},
}


@dataclass(frozen=True)
class Job:
    """The arguments of `loop.train`, to be changed one by one."""

    settings: Settings
    data: TrainingData
    seed: int
    checkpoint: Checkpoint
    machine: Machine

    def train(self):
        return loop.train(self.settings, self.data, self.seed, self.checkpoint, self.machine)

    def batches(self):
        settings, machine = self.settings, self.machine
        return BatchSource(self.data, settings.clip, settings.train, self.seed, machine.workers, machine.group)

    def with_data(self, **changes):
        return replace(self, data=self.data._replace(**changes))

    def with_settings(self, section="train", **changes):
        changed = getattr(self.settings, section).model_copy(update=changes)
        return replace(self, settings=self.settings.model_copy(update={section: changed}))

    def kept_in(self, folder):
        return replace(self, checkpoint=Checkpoint(folder, "key"))


@pytest.fixture
def job(tmp_path):
    folder = write_dataset(tmp_path, classes=["Archery", "Bowling"], videos=5, frames=9)
    videos = read_split(folder / "split1.csv")
    return Job(
        settings=resolve(SETTINGS),
        data=TrainingData(["Archery", "Bowling"], videos, [], open_packs(folder / "frames", videos)),
        seed=1,
        checkpoint=Checkpoint(tmp_path / "checkpoints", "key"),
        machine=Machine(workers=2),
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
    compute_gradients = loop.Trainer.compute_gradients
    calls = iter(range(after))

    def killed_step(*arguments, **named):
        if next(calls, None) is None:
            raise Killed
        return compute_gradients(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Trainer, "compute_gradients", killed_step)
        patch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", 0)
        with pytest.raises(Killed):
            job.train()


def test_equal_seeds_give_equal_weights_for_any_number_of_workers(job, tmp_path):
    prints = {
        fingerprint(replace(job, machine=Machine(workers=workers)).kept_in(tmp_path / str(workers)).train()[0])
        for workers in (1, 2, 5)
    }
    assert len(prints) == 1
    assert fingerprint(replace(job, seed=2).kept_in(tmp_path / "seed").train()[0]) not in prints


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(job, tmp_path, monkeypatch, after):
    whole, state = job.kept_in(tmp_path / "whole").train()
    train_and_kill(job, monkeypatch, after)
    resumed, resumed_state = job.train()
    assert fingerprint(resumed) == fingerprint(whole)
    assert [row["loss"] for row in resumed_state.history] == [row["loss"] for row in state.history]


def test_a_finished_training_is_not_repeated(job, monkeypatch):
    network, state = replace(job, machine=Machine(software={"device": "gpu"})).train()
    monkeypatch.setattr(loop.Trainer, "compute_gradients", lambda *_: pytest.fail("trained again"))
    again, again_state = replace(job, machine=Machine(software={"device": "cpu"})).train()
    assert fingerprint(again) == fingerprint(network)
    assert again_state.history == state.history
    assert again_state.software == {"device": "gpu"}  # what it was trained with, not what took it over


def test_every_epoch_shows_each_video_at_most_once_in_a_new_order(job):
    batches = job.batches()
    orders = [
        [request.video.name for batch in batches.training(epoch, batches.order(epoch)) for request in batch.requests]
        for epoch in (1, 2)
    ]
    for order in orders:
        assert len(order) == len(set(order)) == 8  # 10 videos, batches of 4: the incomplete last one is dropped
    assert orders[0] != orders[1]


def test_the_history_has_a_row_per_epoch(job):
    videos = job.data.training
    history = job.with_data(training=videos[:4] + videos[5:], validation=videos[4:5]).train()[1].history
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
        job.with_data(training=job.data.training[: 5 + count]).train()


def test_a_batch_larger_than_the_data_is_named(job):
    with pytest.raises(UserError, match=r"batch_size: 11 is larger than the data: there are 10"):
        job.with_settings(batch_size=11).train()


def test_an_infinite_loss_stops_with_the_names_of_the_videos(job):
    with pytest.raises(UserError, match=r"the loss became (nan|inf) in epoch \d, step \d; .*v_\w+_g\d\d_c01"):
        job.with_settings(learning_rate=1e6).train()


def test_a_training_starts_from_weights_with_a_new_classifier(job, tmp_path):
    network, _ = job.train()
    path = tmp_path / "start.pdparams"
    facts = select(job.settings, "model", "clip")
    save_weights(path, network, description(facts["model"], facts["clip"], job.data.class_names))
    frozen = {name: 0 for name in ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")}
    videos = job.data.training
    three = [*videos[:8], *(video._replace(label=2) for video in videos[8:])]
    tuning = job.with_settings(weights=str(path), lr_multipliers=frozen)
    tuning = tuning.with_data(class_names=["A", "B", "C"], training=three)
    tuned, _ = tuning.kept_in(tmp_path / "tuned").train()
    before, after = network.state_dict(), tuned.state_dict()
    changed = {name for name in before if not np.array_equal(before[name].numpy(), after[name].numpy())}
    assert changed == {"fc.weight", "fc.bias"}
    with pytest.raises(UserError, match="width"):
        tuning.with_settings("model", width=8).kept_in(tmp_path / "wider").train()


def test_every_ingredient_of_the_recipes_trains_and_resumes(job, tmp_path, monkeypatch):
    ingredients = {
        "sampling": "consecutive", "crop": "random_resized", "colour_jitter": 0.4, "mixup": 0.2, "cutmix": 1.0,
        "label_smoothing": 0.1, "schedule": "cosine", "warmup_epochs": 1, "decay_norms_and_biases": False,
        "ema_decay": 0.9, "max_grad_norm": 1.0, "gradient_accumulation_steps": 2,
    }  # fmt: skip
    modern = job.with_settings(**ingredients).with_settings("clip", input="difference")
    modern = modern.with_data(validation=job.data.training[:2])
    whole, state = modern.kept_in(tmp_path / "whole").train()
    train_and_kill(modern, monkeypatch, 3)
    resumed, again = modern.train()
    assert fingerprint(resumed) == fingerprint(whole)
    assert [row["validation_loss"] for row in again.history] == [row["validation_loss"] for row in state.history]


def test_balanced_classes_reach_the_loss(job):
    """One step with all videos, five of one class and two of the other."""
    few = [video for video in job.data.training if video.label == 1][:2]
    unbalanced = job.with_data(training=[video for video in job.data.training if video.label == 0] + few)
    losses = {}
    for how in ("none", "balanced"):
        one_step = unbalanced.with_settings(class_weights=how, batch_size=7, epochs=1)
        _, state = one_step.kept_in(job.checkpoint.folder / how).train()
        losses[how] = state.history[0]["loss"]
    assert losses["none"] != losses["balanced"]


@pytest.fixture
def textured(job, tmp_path):
    """As `job`, of frames that a crop or a mirror changes, for one epoch."""
    rng = np.random.default_rng(0)
    pictures = [cv2.resize(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8), (32, 24)) for _ in range(9)]
    jpegs = [simplejpeg.encode_jpeg(picture, 95) for picture in pictures]
    folder = write_dataset(tmp_path / "textured", classes=["Archery", "Bowling"], videos=5, jpegs=jpegs)
    videos = read_split(folder / "split1.csv")
    one_epoch = job.with_settings(epochs=1).with_settings("model", dropout=0)  # whose draws come after all others
    return one_epoch.with_data(training=videos, packs=open_packs(folder / "frames", videos))


@pytest.mark.parametrize(
    "changed",
    [
        {"crop": "corners"}, {"crop": "random_resized"}, {"crop": "centre"}, {"flip": 1.0},
        {"colour_jitter": 0.4}, {"mixup": 0.5}, {"cutmix": 1.0}, {"label_smoothing": 0.1}, {"ema_decay": 0.9},
        {"max_grad_norm": 0.01}, {"gradient_accumulation_steps": 2}, {"momentum": 0.5}, {"weight_decay": 0.1},
        {"warmup_epochs": 1}, {"decay_norms_and_biases": False}, {"lr_multipliers": {"layer4": 0.1}},
        {"milestones": [1]}, {"batch_size": 5},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_reaches_the_training(textured, changed, tmp_path):
    prints = set()
    for number, train in enumerate(({}, changed)):
        prints.add(fingerprint(textured.with_settings(**train).kept_in(tmp_path / str(number)).train()[0]))
    assert len(prints) == 2


def drawn_requests(job):
    """What is drawn for each training video in the first epoch."""
    clip, train = job.settings.clip, job.settings.train
    return [
        training_request(video, job.data.packs[video.class_name], clip, train, generator(job.seed, 1, video.name))
        for video in job.data.training
    ]


def test_the_sampling_is_that_of_the_settings(textured):
    segments, consecutive = (
        [np.diff(request.indices) for request in drawn_requests(textured.with_settings(sampling=sampling))]
        for sampling in ("segments", "consecutive")
    )
    assert any((steps != 1).any() for steps in segments)
    assert all((steps == 1).all() for steps in consecutive)


def test_the_seed_reaches_order_sampling_crop_and_initialisation(textured):
    other = replace(textured, seed=2)
    assert textured.batches().order(1) != other.batches().order(1)
    drawn = [drawn_requests(job) for job in (textured, other)]
    for part in (lambda request: request.indices.tolist(), lambda request: request.box, lambda request: request.flip):
        assert [part(request) for request in drawn[0]] != [part(request) for request in drawn[1]]
    first = [set(network.conv1.weight.numpy().ravel()) for network in map(untrained, (textured, other))]
    assert first[0] != first[1]


def untrained(job):
    """The network before its first step, from a training whose learning rate is next to nothing."""
    return job.with_settings(learning_rate=1e-30).kept_in(job.checkpoint.folder / str(job.seed)).train()[0]


def test_a_plateau_looks_at_the_losses_of_the_validation(job):
    train = job.with_settings(schedule="plateau", epochs=50).settings.train
    falling, standing = (
        State(epoch=30, history=[{"validation_loss": loss} for loss in losses])
        for losses in ([1 / n for n in range(1, 30)], [1.0] * 29)
    )
    assert loop.current_rate(train, falling) == 0.05
    assert loop.current_rate(train, standing) < 0.01


def test_a_plateau_needs_validation_groups(job):
    with pytest.raises(UserError, match="plateau needs validation_groups"):
        job.with_settings(schedule="plateau").train()
