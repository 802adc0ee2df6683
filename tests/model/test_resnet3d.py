"""The networks, number by number against the published ones, and their parts against what is said of them."""

import os
import subprocess
import sys

import numpy as np
import paddle
import pytest

from helpers.golden_weights import golden_input, golden_tensor
from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.model.layer_costs import count_parameters, layer_costs, multiply_adds
from video3d.model.resnet3d import build_network
from video3d.weights.import_weights import paddle_tensors
from video3d.weights.pdparams import apply_weights

BILLIONS_OF_MULTIPLY_ADDS = {"reference": 8.38, "resnet-18-A": 8.30, "resnet-18-B": 8.31}
PUBLISHED = {
    "reference": {"depth": 18, "shortcut": "reference"},
    "resnet-18-A": {"depth": 18, "shortcut": "A"},
    "resnet-18-B": {"depth": 18, "shortcut": "B"},
    "resnet-50-B": {"depth": 50, "shortcut": "B"},
    "resnext-101-32-B": {"depth": 101, "shortcut": "B", "cardinality": 32},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_logits_equal_the_published_network(golden, name):
    entry = golden[name]
    network = build_network(PUBLISHED[name], 101)
    assert count_parameters(network) == entry["trainable_parameters"]
    if name in BILLIONS_OF_MULTIPLY_ADDS:
        assert round(multiply_adds(network, 16, 112) / 1e9, 2) == BILLIONS_OF_MULTIPLY_ADDS[name]
    published = {key: golden_tensor(key, shape) for key, shape in entry["shapes"].items()}
    apply_weights(network, paddle_tensors(published, name))
    clip = golden_input(entry["input"])
    network.eval()
    with paddle.no_grad():
        logits = network(paddle.to_tensor(clip.swapaxes(1, 2) if name == "reference" else clip)).numpy()[0]
    scale = np.abs(entry["logits"]).max()
    np.testing.assert_allclose(logits, entry["logits"], atol=1e-5 * scale)


def test_the_first_training_losses_equal_the_reference(golden):
    """In a process of its own, with the arithmetic that the reference values were computed with.

    Batch norm over four nearly equal clips magnifies rounding: in float64 the first loss is 4.5635, not 4.6642.
    """
    program = PROJECT / "tests" / "helpers" / "golden_training.py"
    environment = os.environ | {"MKL_DEBUG_CPU_TYPE": "0", "PYTHONPATH": f"{PROJECT}/workflow_scripts:{PROJECT}/tests"}
    done = subprocess.run([sys.executable, program, "3"], env=environment, capture_output=True, text=True, check=True)
    losses = [float(text) for text in done.stdout.split()]
    np.testing.assert_allclose(losses, golden["reference"]["training"]["losses"][:3], atol=1e-3)


def expected_parameters(blocks, width, classes, shortcut, bottleneck=False):
    """Counted by hand: convolutions, batch norms (two values a channel), classifier."""
    biased = shortcut == "reference"

    def convolution(inputs, outputs, kernel):
        return inputs * outputs * kernel**3 + (outputs if biased else 0) + 2 * outputs

    total, inputs = 3 * width * 343 + 2 * width, width
    for stage, count in enumerate(blocks):
        inner = width * 2**stage
        outputs = 4 * inner if bottleneck else inner
        for block in range(count):
            if bottleneck:
                total += convolution(inputs, inner, 1) + convolution(inner, inner, 3) + convolution(inner, outputs, 1)
            else:
                total += convolution(inputs, inner, 3) + convolution(inner, inner, 3)
            changes = block == 0 and (stage > 0 or inputs != outputs)
            if shortcut == "reference" or (shortcut == "B" and changes):
                total += convolution(inputs, outputs, 1)
            inputs = outputs
    return total + inputs * classes + classes


DEPTHS = {
    10: (1, 1, 1, 1),
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}


@pytest.mark.parametrize(
    ("depth", "shortcut"),
    [
        *((depth, "B") for depth in DEPTHS),
        *((depth, shortcut) for depth in (34, 50) for shortcut in ("A", "reference")),
    ],
)
def test_parameters_of_every_depth(depth, shortcut):
    with paddle.LazyGuard():
        network = build_network({"depth": depth, "shortcut": shortcut}, 101)
    assert count_parameters(network) == expected_parameters(DEPTHS[depth], 64, 101, shortcut, depth >= 50)


def test_layer_costs_by_hand():
    network = build_network({"depth": 10, "shortcut": "B", "width": 2}, 5)
    network.train()
    costs = {cost.name: cost for cost in layer_costs(network, 8, 56)}
    assert costs["conv1"][1:] == ((2, 8, 28, 28), 3 * 2 * 343, 3 * 2 * 343 * 8 * 28 * 28)
    assert costs["bn1"][1:] == ((2, 8, 28, 28), 4, 0)
    assert costs["layer2.0.conv1"][1:] == ((4, 2, 7, 7), 2 * 4 * 27, 2 * 4 * 27 * 2 * 7 * 7)
    assert costs["fc"][1:] == ((5,), 16 * 5 + 5, 80)
    assert sum(cost.parameters for cost in costs.values()) == count_parameters(network)
    assert network.training


def test_shortcut_a_subsamples_pads_with_zeros_and_stops_the_gradient():
    shortcut = build_network({"depth": 10, "shortcut": "A", "width": 2}, 5).layer2[0].downsample
    clip = paddle.arange(2 * 3 * 4 * 5, dtype="float32").reshape([1, 2, 3, 4, 5])
    clip.stop_gradient = False
    output = shortcut(clip)
    assert np.array_equal(output[:, :2].numpy(), clip.numpy()[:, :, ::2, ::2, ::2])
    assert output.shape == [1, 4, 2, 2, 3]
    assert not output[:, 2:].numpy().any()
    assert output.stop_gradient


def test_reference_pads_even_sizes_at_the_end():
    """A kernel that copies its first tap sees index 0 first if nothing is padded in front, and a zero if it is."""
    ramp = paddle.arange(1, 9, dtype="float32").reshape([1, 1, 8, 1, 1]).expand([1, 2, 8, 8, 8])
    first = {}
    for shortcut in ("reference", "B"):
        convolution = build_network({"depth": 10, "shortcut": shortcut, "width": 2}, 5).layer2[0].conv1
        kernel = np.zeros(convolution.weight.shape, "f4")
        kernel[0, 0, 0, 1, 1] = 1
        convolution.weight.set_value(kernel)
        first[shortcut] = convolution(ramp).numpy()[0, 0, :, 1, 1].tolist()
    assert first == {"reference": [1, 3, 5, 7], "B": [0, 2, 4, 6]}


@pytest.mark.parametrize(("shortcut", "fan"), [("reference", 32 * 27), ("B", 64 * 27)])
def test_initial_weights(shortcut, fan):
    paddle.seed(3)
    network = build_network({"depth": 10, "shortcut": shortcut, "width": 32}, 101)
    assert network.layer2[0].conv1.weight.numpy().std() == pytest.approx((2 / fan) ** 0.5, rel=0.02)
    bound = (6 / (256 + 101)) ** 0.5
    assert bound * 0.99 < np.abs(network.fc.weight.numpy()).max() <= bound
    assert not network.fc.bias.numpy().any()
    assert np.all(network.bn1.weight.numpy() == 1)


def test_the_seed_decides_the_initial_weights():
    def weights(seed):
        paddle.seed(seed)
        return build_network({"depth": 10, "width": 2}, 5).fc.weight.numpy()

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


def test_dropout_acts_in_training_only():
    network = build_network({"depth": 10, "width": 8, "dropout": 0.5}, 5)
    clip = paddle.randn([2, 3, 4, 32, 32])
    network.eval()
    assert np.array_equal(network(clip).numpy(), network(clip).numpy())
    network.train()
    assert not np.array_equal(network(clip).numpy(), network(clip).numpy())


@pytest.mark.parametrize(
    "model",
    [
        {"depth": 10, "shortcut": "reference", "width": 2},
        {"depth": 10, "shortcut": "A", "width": 2},
    ],
)
def test_exported_network_takes_any_size(tmp_path, model):
    network = build_network(model, 5)
    network.eval()
    shape = [None, 3, None, None, None]
    paddle.jit.save(network, str(tmp_path / "model"), input_spec=[paddle.static.InputSpec(shape, "float32")])
    exported = paddle.jit.load(str(tmp_path / "model"))
    for size in ([2, 3, 8, 56, 56], [1, 3, 5, 33, 47]):
        clip = paddle.randn(size)
        np.testing.assert_allclose(exported(clip).numpy(), network(clip).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"depth": 19}, "depth: 19 is none of 10, 18"),
        ({"shortcut": "C"}, "shortcut: 'C' is none of reference, A, B"),
        ({"depth": 18, "cardinality": 32}, "cardinality: 32 needs a depth of at least 50"),
        ({"depth": 50, "cardinality": 32, "width": 8}, "does not divide twice the width, 16"),
    ],
)
def test_settings_of_no_network(model, message):
    with pytest.raises(UserError, match=message):
        build_network(model, 5)
