import re

import numpy as np
import paddle
import pytest
from paddle import nn

from video3d.common.settings import resolve
from video3d.compute.cpu_convolution import geometry, use_fast_convolutions
from video3d.compute.numpy_convolution import Geometry, convolve
from video3d.model.resnet3d import build_network
from video3d.training.mixup import soft_targets
from video3d.training.trainer import Trainer

LAYERS = {  # inputs, outputs, kernel, stride, padding, bias, (T, H, W)
    "stem": (3, 8, 7, (1, 2, 2), 3, False, (6, 20, 22)),
    "same size": (8, 6, 3, 1, 1, True, (4, 7, 9)),
    "halved, even": (8, 12, 3, 2, "SAME", True, (4, 8, 8)),
    "halved, odd": (8, 12, 3, 2, "SAME", True, (3, 7, 5)),
    "halved, padded on both sides": (8, 12, 3, 2, 1, False, (3, 6, 7)),
    "shortcut": (8, 12, 1, 2, "SAME", True, (4, 7, 8)),
    "bottleneck": (8, 12, 1, 1, 0, False, (1, 7, 8)),
    "single frame": (8, 12, 3, 1, 1, True, (1, 3, 3)),
}


def run(layer, x, gradient):
    """Output, gradient of the input and gradients of the parameters."""
    x = paddle.to_tensor(x, stop_gradient=False)
    y = layer(x)
    paddle.autograd.backward([y], [paddle.to_tensor(gradient)])
    results = [y.numpy(), x.grad.numpy(), *(parameter.grad.numpy() for parameter in layer.parameters())]
    layer.clear_gradients()
    return results


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_equal_paddles(name):
    inputs, outputs, kernel, stride, padding, bias, size = LAYERS[name]
    layer = nn.Sequential(nn.Conv3D(inputs, outputs, kernel, stride, padding, bias_attr=None if bias else False))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, inputs, *size)).astype(np.float32)
    gradient = rng.normal(size=layer(paddle.to_tensor(x)).shape).astype(np.float32)
    expected = run(layer, x, gradient)
    results = []
    for threads in (1, 2, 3):
        use_fast_convolutions(layer, threads)
        results.append(run(layer, x, gradient))
    for own, *fast in zip(expected, *results, strict=True):
        assert np.abs(fast[0] - own).max() <= 1e-5 * np.abs(own).max()
        assert np.array_equal(fast[0], fast[1]) and np.array_equal(fast[0], fast[2])  # for any number of threads


def test_a_convolution_by_hand():
    x = np.arange(4, dtype=np.float32).reshape(1, 1, 4, 1, 1)  # frames 0, 1, 2, 3
    weight = np.array([1, 10, 100], np.float32).reshape(1, 1, 3, 1, 1)
    y = convolve(x, weight, Geometry((1, 1, 1), ((1, 1), (0, 0), (0, 0))), map)
    assert y.ravel().tolist() == [100, 210, 321, 32]  # frame t: x[t-1] + 10 x[t] + 100 x[t+1]
    y = convolve(x, weight, Geometry((2, 1, 1), ((0, 1), (0, 0), (0, 0))), map)
    assert y.ravel().tolist() == [210, 32]


def test_same_padding_puts_the_odd_row_at_the_end():
    layer = nn.Conv3D(1, 1, 3, 2, "SAME")
    assert geometry(layer, [16, 56, 55]).padding == ((0, 1), (0, 1), (1, 1))


def test_grouped_convolutions_stay_paddles():
    layer = nn.Sequential(nn.Conv3D(4, 4, 3, groups=2))
    use_fast_convolutions(layer, 1)
    assert "forward" not in vars(layer[0])


BEFORE_BATCH_NORM = re.compile(r"(conv\d|downsample\.0)\.bias")  # such a bias has no gradient but rounding


def test_twenty_steps_equal_paddles_eager_mode():
    """Each step from equal weights: the loss to 1e-5, running statistics to 1e-5 of their largest, updates to 1e-4.

    In single steps rounding flips a ReLU or the maximum of a window, and updates differ by up to 1 %; so do Paddle's
    own with one thread and with two.
    """
    rng = np.random.default_rng(0)
    trainers = []
    for fast in (False, True):
        network = {"depth": 10, "width": 4}
        settings = resolve({"model": network, "clip": {"frames": 8, "size": 48}, "train": {"fast_cpu": fast}})
        paddle.seed(0)
        network = build_network(settings.model.model_dump(), 3)
        trainers.append(Trainer(network, settings.clip, settings.train, "cpu", 2))
    differences = []
    for step in range(20):
        clips = rng.integers(0, 256, (4, 8, 48, 48, 3), dtype=np.uint8)
        wanted = soft_targets(rng.integers(0, 3, 4), 3)
        before = trainers[0].state()
        trainers[1].restore(before)
        losses = [trainer.step(clips, wanted, 0.01, step)[0] for trainer in trainers]
        assert losses[1] == pytest.approx(losses[0], rel=1e-5)
        own, fast = (trainer.state() for trainer in trainers)
        for name, value in own.items():
            if "._" in name and name.startswith("weights/"):
                assert np.abs(fast[name] - value).max() <= 1e-5 * np.abs(value).max(), name
            elif name.startswith("weights/") and not BEFORE_BATCH_NORM.search(name):
                update = np.linalg.norm(value - before[name])
                differences.append(np.linalg.norm(fast[name] - value) / update)
    assert np.median(differences) < 1e-4
    assert max(differences) < 1e-2
