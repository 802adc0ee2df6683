import numpy as np
import paddle
import pytest

from video3d.config import resolve
from video3d.optimisation import build_optimizer


def test_the_optimiser_is_the_references():
    """Momentum: v ← 0.9 v + g + 1e-3 w; w ← w − 0.01 v, on a bias as on a weight."""
    layer = paddle.nn.Linear(1, 1)
    layer.weight.set_value(np.array([[2.0]], np.float32))
    layer.bias.set_value(np.array([1.0], np.float32))
    optimizer = build_optimizer(resolve({})["train"], layer)
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
