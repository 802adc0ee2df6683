import threading
import time
from contextlib import nullcontext

import numpy as np
import paddle
import pytest

from video3d.common.settings import resolve
from video3d.model.normalised_model import NormalisedModel
from video3d.model.resnet3d import build_network
from video3d.training.mixup import soft_targets
from video3d.training.trainer import Trainer

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (4, 4, 16, 16, 3), dtype=np.uint8)
TARGETS = soft_targets(np.array([0, 1, 1, 0]), 2)


def trainer(device="cpu", **train):
    settings = resolve({"model": {"depth": 10, "width": 4}, "clip": {"frames": 4, "size": 16}, "train": train})
    paddle.seed(0)
    return Trainer(build_network(settings.model.model_dump(), 2), settings.clip, settings.train, device)


class Pass(paddle.nn.Layer):
    """A network that shows what it gets."""

    def forward(self, x):
        return x


def test_clips_are_normalised_as_the_reference_does():
    clip = resolve({}).clip
    x = NormalisedModel(Pass(), clip.model_dump())(paddle.to_tensor(CLIPS)).numpy()
    expected = (CLIPS / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert x == pytest.approx(expected.transpose(0, 4, 1, 2, 3), abs=1e-5)
    assert x.dtype == np.float32


def test_difference_input_is_the_change_from_frame_to_frame():
    clip = resolve({"clip": {"input": "difference"}}).clip
    x = NormalisedModel(Pass(), clip.model_dump())(paddle.to_tensor(CLIPS)).numpy()
    expected = np.diff(CLIPS / 255, axis=1) / np.array([0.229, 0.224, 0.225])
    assert x == pytest.approx(expected.transpose(0, 4, 1, 2, 3), abs=1e-5)


def test_the_loss_is_the_mean_cross_entropy():
    one = trainer()
    loss, logits = one.step(CLIPS, TARGETS, 0.01, 0)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert loss == pytest.approx(-np.log((probabilities * TARGETS).sum(1)).mean(), rel=1e-5)


def test_accumulated_gradients_are_those_of_the_whole_batch():
    """With the statistics of batch norm frozen, parts and whole cannot differ."""
    frozen = {name: 0 for name in ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")}
    results = []
    for parts in (1, 2, 3):
        one = trainer(gradient_accumulation_steps=parts, lr_multipliers=frozen)
        losses = [one.step(CLIPS, TARGETS, 0.1, step)[0] for step in range(3)]
        results.append((losses, one.network.fc.weight.numpy()))
    for losses, weight in results[1:]:
        assert losses == pytest.approx(results[0][0], rel=1e-5)
        assert weight == pytest.approx(results[0][1], abs=1e-6)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_cpu_computes_in_float32_and_says_so(precision, caplog):
    mixed = trainer(precision=precision, gradient_accumulation_steps=2).step(CLIPS, TARGETS, 0.1, 0)[0]
    assert mixed == trainer(gradient_accumulation_steps=2).step(CLIPS, TARGETS, 0.1, 0)[0]
    assert f"computes in float32, not in {precision}" in caplog.text


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_on_a_gpu_every_part_of_a_batch_is_computed_in_the_lower_precision(precision, monkeypatch):
    """What Paddle is asked for; on a CPU it does nothing of it. Without the list, 3D convolutions stay in float32."""
    asked = []

    def auto_cast(**options):
        asked.append(options)
        return nullcontext()

    monkeypatch.setattr(paddle.amp, "auto_cast", auto_cast)
    trainer("gpu", precision=precision, gradient_accumulation_steps=2).step(CLIPS, TARGETS, 0.1, 0)
    assert asked == [{"dtype": precision, "level": "O1", "custom_white_list": {"conv3d"}}] * 2


@pytest.mark.parametrize("frozen", ["conv1", "bn1", "layer1", "layer3"])
def test_a_frozen_stage_may_lie_behind_one_that_learns(frozen):
    fast, own = (trainer(fast_cpu=fast, lr_multipliers={frozen: 0}) for fast in (True, False))
    before = fast.state()
    losses = [[one.step(CLIPS, TARGETS, 0.01, step)[0] for step in range(2)] for one in (fast, own)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    after = fast.state()
    stage_of = {name: name.split("/")[1].split(".")[0] for name in before if name.startswith("weights/")}
    changed = {stage for name, stage in stage_of.items() if not np.array_equal(after[name], before[name])}
    assert changed == set(stage_of.values()) - {frozen}


def test_gradients_are_clipped_by_their_common_norm():
    free, clipped = trainer(weight_decay=0), trainer(weight_decay=0, max_grad_norm=0.001)
    before = free.state()
    for one in (free, clipped):
        one.step(CLIPS, TARGETS, 1.0, 0)
    changes = []
    for one in (free, clipped):
        after = one.state()
        names = [f"weights/{name}" for name, tensor in one.network.named_parameters() if not tensor.stop_gradient]
        changes.append(np.concatenate([(after[name] - before[name]).ravel() for name in names]))
    assert np.linalg.norm(changes[1]) == pytest.approx(0.001, rel=1e-2)
    assert np.dot(*changes) == pytest.approx(np.linalg.norm(changes[0]) * np.linalg.norm(changes[1]), rel=1e-2)


def test_a_restored_trainer_goes_on_exactly():
    whole, first = (trainer(ema_decay=0.9) for _ in range(2))
    for step in range(4):
        whole.step(CLIPS, TARGETS, 0.1, step)
    for step in range(2):
        first.step(CLIPS, TARGETS, 0.1, step)
    second = trainer(ema_decay=0.9)
    second.restore(first.state())
    for step in (2, 3):
        second.step(CLIPS, TARGETS, 0.1, step)
    assert_equal(whole.state(), second.state())


def test_the_average_takes_the_place_of_the_weights_within_a_block():
    one = trainer(ema_decay=0.9)
    one.step(CLIPS, TARGETS, 0.1, 0)
    last, state = one.network.fc.weight.numpy(), one.state()
    with one.averaged_weights():
        assert np.array_equal(one.network.fc.weight.numpy(), one.ema.tensors["fc.weight"].numpy())
        assert not np.array_equal(one.network.fc.weight.numpy(), last)
        assert_equal(one.state(), state)
    assert np.array_equal(one.network.fc.weight.numpy(), last)
    assert_equal(one.state(), state)
    one.adopt_average()
    assert np.array_equal(one.weights()["weights/fc.weight"], one.ema.tensors["fc.weight"].numpy())


def test_without_an_average_the_weights_are_used():
    one = trainer()
    one.step(CLIPS, TARGETS, 0.1, 0)
    state = one.state()
    with one.averaged_weights():
        assert_equal(one.state(), state)
    one.adopt_average()
    assert_equal(one.state(), state)


@pytest.mark.parametrize("parts", [1, 2])
def test_gradients_change_nothing_that_is_kept(parts):
    one = trainer(ema_decay=0.9, gradient_accumulation_steps=parts)
    one.step(CLIPS, TARGETS, 0.1, 0)
    state, statistics = one.state(), one.network.bn1._mean.numpy()
    one.compute_gradients(CLIPS, TARGETS, 0.1, 1)
    assert not np.array_equal(one.network.bn1._mean.numpy(), statistics)
    assert_equal(one.state(), state)
    one.update_weights()
    assert np.array_equal(one.state()["weights/bn1._mean"], one.network.bn1._mean.numpy())


@pytest.mark.parametrize("change", ["gradients", "average"])
def test_what_is_being_read_does_not_change(change, monkeypatch):
    """A signal's thread reads the state while the main thread computes on."""
    one = trainer(ema_decay=0.9)
    one.step(CLIPS, TARGETS, 0.1, 0)
    expected, reading = one.state(), threading.Event()
    state_dict = one.network.state_dict

    class SlowlyRead:
        """A tensor that takes long to read: meanwhile the main thread could change what is read after it."""

        def __init__(self, tensor):
            self.tensor = tensor

        def numpy(self):
            reading.set()
            time.sleep(0.5)
            return self.tensor.numpy()

    def read_slowly():
        tensors = state_dict()
        if threading.current_thread() is reader:
            first = next(iter(tensors))
            tensors[first] = SlowlyRead(tensors[first])
        return tensors

    found = []
    reader = threading.Thread(target=lambda: found.append(one.state()))
    monkeypatch.setattr(one.network, "state_dict", read_slowly)
    reader.start()
    reading.wait(10)
    if change == "gradients":
        one.compute_gradients(CLIPS, TARGETS, 0.1, 1)
    else:
        with one.averaged_weights():
            reader.join()
    reader.join()
    assert_equal(found[0], expected)


def assert_equal(own, other):
    """Two states, bit for bit."""
    assert own.keys() == other.keys()
    assert all(np.array_equal(own[name], other[name]) for name in own)
