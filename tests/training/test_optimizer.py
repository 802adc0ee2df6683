import numpy as np
import paddle
import pytest

from video3d.common.settings import resolve
from video3d.model.architecture import STAGES
from video3d.model.resnet3d import build_network
from video3d.training.ema import ExponentialMovingAverage
from video3d.training.freezing import FrozenStages
from video3d.training.optimizer import build_optimizer


def test_the_optimizer_is_the_references():
    """Momentum: v ← 0.9 v + g + 1e-3 w; w ← w − 0.01 v, on a bias as on a weight."""
    layer = paddle.nn.Linear(1, 1)
    layer.weight.set_value(np.array([[2.0]], np.float32))
    layer.bias.set_value(np.array([1.0], np.float32))
    optimizer = build_optimizer(resolve({}).train, layer)
    for _ in range(2):
        layer(paddle.to_tensor([[3.0]])).sum().backward()
        optimizer.step()
        optimizer.clear_grad()
    velocity = 3 + 1e-3 * 2
    weight = 2 - 0.01 * velocity
    weight -= 0.01 * (0.9 * velocity + 3 + 1e-3 * weight)
    velocity = 1 + 1e-3 * 1
    bias = 1 - 0.01 * velocity
    bias -= 0.01 * (0.9 * velocity + 1 + 1e-3 * bias)
    assert layer.weight.item() == pytest.approx(weight, rel=1e-6)
    assert layer.bias.item() == pytest.approx(bias, rel=1e-6)


def one_step(settings, weight=2.0, bias=1.0, gradient=3.0):
    """Weight and bias of y = w·x + b after one step at learning rate 1, for x = `gradient`."""
    layer = paddle.nn.Linear(1, 1)
    layer.weight.set_value(np.array([[weight]], np.float32))
    layer.bias.set_value(np.array([bias], np.float32))
    optimizer = build_optimizer(resolve({"train": {"learning_rate": 1.0, **settings}}).train, layer)
    layer(paddle.to_tensor([[gradient]])).sum().backward()
    optimizer.step()
    return layer.weight.item(), layer.bias.item()


def test_no_decay_on_norms_and_biases():
    assert one_step({"weight_decay": 0.1}) == pytest.approx((2 - 3.2, 1 - 1.1))
    assert one_step({"weight_decay": 0.1, "decay_norms_and_biases": False}) == pytest.approx((2 - 3.2, 1 - 1.0))


def test_stages_have_their_own_rate():
    assert one_step({"weight_decay": 0, "lr_multipliers": {"weight": 0.1}}) == pytest.approx((2 - 0.3, 0), abs=1e-6)


def test_frozen_stages_change_neither_weights_nor_statistics():
    network = build_network({"depth": 10, "width": 4}, 2)
    rates = {"conv1": 0, "bn1": 0, "layer1": 0}
    frozen = FrozenStages(network, rates)
    settings = resolve({"train": {"lr_multipliers": rates}}).train
    optimizer = build_optimizer(settings, network)
    before = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    network.train()
    frozen.freeze_batch_norm()
    network(paddle.randn([2, 3, 4, 16, 16])).sum().backward()
    optimizer.step()
    changed = {
        name.split(".")[0] for name, tensor in network.state_dict().items() if not np.array_equal(tensor, before[name])
    }
    assert changed == {"layer2", "layer3", "layer4", "fc"}


def test_the_stages_that_can_be_named_are_those_with_parameters():
    network = build_network({"depth": 10, "width": 4}, 2)
    assert [name for name, stage in network.named_children() if stage.parameters()] == list(STAGES)


def test_the_average_follows_its_formula():
    layer = paddle.nn.Linear(1, 1)
    layer.weight.set_value(np.array([[0.0]], np.float32))
    average = ExponentialMovingAverage(layer, 0.5)
    expected = 0.0
    for update, value in enumerate([10.0, 20.0, 30.0, 5.0, 7.0, 1.0, 2.0, 8.0, 9.0, 3.0]):
        layer.weight.set_value(np.array([[value]], np.float32))
        average.update(layer)
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    assert average.tensors["weight"].item() == pytest.approx(expected)
    copy = ExponentialMovingAverage(layer, 0.5)
    copy.restore(average.state())
    assert copy.updates == 10 and copy.tensors["weight"].item() == pytest.approx(expected)
