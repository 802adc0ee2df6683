"""The golden logits against NumPy alone, and the golden losses against the convolutions of our own."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from video3d.device_check.golden import (
    CLASSES,
    golden_clips,
    golden_network,
    golden_settings,
    golden_trainer,
    golden_values,
    learn,
    uniform,
)


def sides(size, kernel, stride, padding):
    """Rows in front and behind: `padding` of them, or "same", with the odd one behind."""
    if padding != "same":
        return padding, padding
    missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return missing // 2, missing - missing // 2


def windows(x, kernel, stride, padding, fill=0.0):
    """Windows of x (N, C, T, H, W): (N, C, T', H', W', k, k, k)."""
    around = [sides(n, kernel, s, padding) for n, s in zip(x.shape[2:], stride, strict=True)]
    x = np.pad(x, [(0, 0), (0, 0), *around], constant_values=fill)
    t, h, w = stride
    return sliding_window_view(x, (kernel,) * 3, (2, 3, 4))[:, :, ::t, ::h, ::w]


def answers(tensors, clips, mean, std):
    """Logits of the reference's ResNet-10, in float64, layer by layer as the reference describes it."""

    def norm(x, name):
        scale, shift, centre, variance = (
            tensors[f"{name}.{part}"] for part in ("weight", "bias", "_mean", "_variance")
        )
        factor = scale / np.sqrt(variance + 1e-5)
        return x * factor[:, None, None, None] + (shift - centre * factor)[:, None, None, None]

    def convolve(x, name, stride, padding="same"):
        weight = tensors[f"{name}.weight"]
        y = np.einsum("ncthwijk,ocijk->nothw", windows(x, weight.shape[-1], stride, padding), weight, optimize=True)
        return y + tensors.get(f"{name}.bias", np.zeros(len(weight)))[:, None, None, None]

    x = ((clips / 255 - mean) / std).transpose(0, 4, 1, 2, 3)
    x = np.maximum(norm(convolve(x, "conv1", (1, 2, 2), 3), "bn1"), 0)
    x = windows(x, 3, (2, 2, 2), 1, -np.inf).max((-3, -2, -1))
    for stage in range(1, 5):
        name, stride = f"layer{stage}.0", (1 if stage == 1 else 2,) * 3
        y = np.maximum(norm(convolve(x, f"{name}.conv1", stride), f"{name}.bn1"), 0)
        y = norm(convolve(y, f"{name}.conv2", (1, 1, 1)), f"{name}.bn2")
        x = np.maximum(y + norm(convolve(x, f"{name}.downsample.0", stride), f"{name}.downsample.1"), 0)
    return x.mean((2, 3, 4)) @ tensors["fc.weight"] + tensors["fc.bias"]


def test_the_golden_logits_are_those_of_numpy():
    tensors = {name: tensor.numpy().astype(np.float64) for name, tensor in golden_network().state_dict().items()}
    clip = golden_settings().clip
    found = answers(tensors, golden_clips(0), np.array(clip.mean), np.array(clip.std))
    assert found.shape == (4, CLASSES)
    np.testing.assert_allclose(found, golden_values()["logits"], atol=1e-5)


def test_the_golden_losses_are_those_of_our_own_convolutions():
    assert learn(golden_trainer("cpu", 1)) == pytest.approx(golden_values()["losses"], rel=1e-3)


def test_draws_are_the_same_for_ever():
    """The first value of PCG64 with seed 0 as NumPy's own documentation of default_rng(0) prints it."""
    assert uniform(0, (1,))[0] == pytest.approx(0.6369616873214543, abs=1e-15)
