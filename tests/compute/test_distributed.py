import json
import multiprocessing
import os
import time

import numpy as np
import paddle
import psutil
import pytest
from paddle import nn

from helpers.tiny_packs import write_dataset
from video3d.clips.clip_reader import open_packs
from video3d.common.errors import UserError
from video3d.common.settings import resolve
from video3d.compute.distributed import ProcessGroup, SyncBatchNorm, run_in_group
from video3d.dataset.split_table import read_split
from video3d.model.resnet3d import build_network
from video3d.training import loop
from video3d.training.batches import BatchSource, TrainingData
from video3d.training.mixup import soft_targets
from video3d.training.trainer import Trainer

STEPS = 3


def build_trainer(group, **train):
    settings = resolve({"model": {"depth": 10, "width": 4}, "clip": {"frames": 4, "size": 16}, "train": train})
    paddle.seed(0)
    return Trainer(build_network(settings.model.model_dump(), 2), settings.clip, settings.train, group=group)


def learn(group, data):
    """Three steps on batches of five clips, of which this process gets its shard: losses and statistics."""
    trainer = build_trainer(group)
    rng = np.random.default_rng(0)
    losses = []
    for step in range(STEPS):
        clips = rng.integers(0, 256, (5, 4, 16, 16, 3), dtype=np.uint8)
        wanted = soft_targets(rng.integers(0, 2, 5), 2)
        losses.append(trainer.step(group.shard(clips), group.shard(wanted), 0.01, step)[0])
    return {
        "losses": losses,
        "mean": trainer.network.bn1._mean.tolist(),
        "variance": trainer.network.layer2[0].bn1._variance.tolist(),
        "weight": trainer.network.fc.weight.numpy().ravel().tolist(),
    }


def learn_in_parts(group, data):
    """A step on three clips in two parts: one process has two of the clips, the other one."""
    trainer = build_trainer(group, gradient_accumulation_steps=2, lr_multipliers={"conv1": 0})
    clips = np.random.default_rng(0).integers(0, 256, (3, 4, 16, 16, 3), dtype=np.uint8)
    loss, _ = trainer.step(group.shard(clips), group.shard(soft_targets(np.array([0, 1, 1]), 2)), 0.01, 0)
    return loss


def validate(group, data):
    """The validation of a network before its first step: five videos, in batches of two."""
    videos = read_split(data / "split1.csv")
    settings = resolve({"clip": {"frames": 4, "size": 16}, "train": {"batch_size": 4}})
    packs = open_packs(data / "frames", videos)
    training = TrainingData(["Archery", "Bowling"], videos, videos[1:6], packs)
    batches = BatchSource(training, settings.clip, settings.train, seed=1, workers=1, group=group)
    seen = [request.video.name for batch in batches.validation() for request in batch.requests]
    return loop.validate(build_trainer(group), batches) | {"seen": seen}


def normalise_halves(group, data):
    """Gradients and values of a batch norm whose input has 16 bits, and more values a channel than these can count."""
    rng = np.random.default_rng(group.rank)
    values = rng.normal(3, 2, (1, 2, 4, 160, 160)).astype(np.float32)
    results = []
    for precision in ("float32", "float16"):
        x = paddle.to_tensor(values).astype(precision)
        x.stop_gradient = False
        layer = nn.BatchNorm3D(2)
        y, mean, variance = SyncBatchNorm.apply(x, layer.weight, layer.bias, 1e-5)
        (y.astype("float32") ** 3).mean().backward()
        assert y.dtype == x.dtype == x.grad.dtype
        tensors = (
            mean,
            variance,
            y.astype("float32")[0, :, 0, 0],
            layer.weight.grad,
            1e5 * x.grad.astype("float32")[0, :, 0, 0],
        )
        results.append([tensor.numpy().ravel().tolist() for tensor in tensors])
    return results


EXERCISES = learn, learn_in_parts, validate, normalise_halves


def do_all(group, folder):
    """Leave to the tests what comes of each exercise in this process."""
    found = {exercise.__name__: exercise(group, folder / "data") for exercise in EXERCISES}
    (folder / f"{group.rank}.json").write_text(json.dumps(found))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny data set, and what comes of the exercises in two processes."""
    folder = tmp_path_factory.mktemp("distributed")
    write_dataset(folder / "data", classes=["Archery", "Bowling"], videos=5, frames=9)
    run_in_group(2, "cpu", do_all, folder)
    return folder


@pytest.fixture
def both(folder):
    """What an exercise gave in each of the two processes."""
    found = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
    return lambda exercise: [results[exercise.__name__] for results in found]


def wait(group, folder):
    (folder / f"{group.rank}.pid").write_text(str(os.getpid()))
    time.sleep(600 if group.rank else 0)
    group.all_reduce_sum(1)  # waits for the other


def fail(group):
    if group.rank == 1:
        raise UserError("video v_x is damaged")


def test_two_processes_learn_as_one_with_the_same_batch(folder, both):
    alone = learn(ProcessGroup(), folder / "data")
    first, second = both(learn)
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-4)
    for name in ("mean", "variance", "weight"):
        assert first[name] == second[name]
        assert first[name] == pytest.approx(alone[name], rel=1e-3, abs=1e-4)


def test_two_processes_validate_every_video_once(folder, both):
    alone = validate(ProcessGroup(), folder / "data")
    first, second = both(validate)
    assert first["seen"] + second["seen"] == alone["seen"] and len(alone["seen"]) == 5
    for name in ("validation_loss", "validation_top1"):
        assert first[name] == second[name] == pytest.approx(alone[name], rel=1e-5)


def test_processes_with_unequal_shards_make_equally_many_parts(both):
    first, second = both(learn_in_parts)
    assert first == second and np.isfinite(first)


def test_a_batch_norm_of_halves_sums_in_float32(both):
    for whole, half in both(normalise_halves):
        for expected, found in zip(whole, half, strict=True):
            assert found == pytest.approx(expected, rel=0.02, abs=0.02)


def test_no_process_outlives_the_one_that_started_it(tmp_path):
    starter = multiprocessing.get_context("spawn").Process(target=run_in_group, args=(2, "cpu", wait, tmp_path))
    starter.start()
    files = [tmp_path / "0.pid", tmp_path / "1.pid"]
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    members = [int(file.read_text()) for file in files]
    starter.kill()
    starter.join()
    wait_until(lambda: not any(map(runs, members)))


def runs(process):
    """Whether a process has not ended; nobody may have taken note of its end yet."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(true):
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_shards_are_disjoint_and_complete():
    for size in (1, 2, 3, 4):
        for length in (0, 1, 5, 8):
            parts = [ProcessGroup(rank, size).shard(range(length)) for rank in range(size)]
            assert [item for part in parts for item in part] == list(range(length))


def test_an_error_of_one_process_is_raised():
    with pytest.raises(UserError, match=r"^video v_x is damaged$"):
        run_in_group(2, "cpu", fail)
