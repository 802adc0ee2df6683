"""What the layers of a network cost: parameters and multiply-adds."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import paddle
from paddle import nn


def count_parameters(network: nn.Layer) -> int:
    """Return the number of trainable values: weights and biases, without the running statistics of batch norm."""
    return sum(parameter.size for parameter in network.parameters() if not parameter.stop_gradient)


class LayerCost(NamedTuple):
    """What one layer yields for one clip, and what that costs."""

    name: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int


def layer_costs(network: nn.Layer, frames: int, size: int) -> list[LayerCost]:
    """Return the costs of the layers with parameters, in the order in which a clip of frames × size × size meets them.

    Batch norm counts no multiply-adds: in inference it is part of the convolution before it.
    """
    costs = []

    def record(name: str, layer: nn.Layer):
        products = {nn.Conv3D: prod(layer.weight.shape[1:]), nn.Linear: layer.weight.shape[0]}.get(type(layer), 0)

        def hook(_layer, _inputs, output):
            shape = tuple(output.shape[1:])
            costs.append(LayerCost(name, shape, count_parameters(layer), prod(shape) * products))

        return layer.register_forward_post_hook(hook)

    kinds = (nn.Conv3D, nn.BatchNorm3D, nn.Linear)
    hooks = [record(name, layer) for name, layer in network.named_sublayers() if isinstance(layer, kinds)]
    training = network.training
    network.eval()
    with paddle.no_grad():
        network(paddle.zeros([0, 3, frames, size, size]))  # no clip: shapes are all that is wanted
    for hook in hooks:
        hook.remove()
    if training:
        network.train()
    return costs


def multiply_adds(network: nn.Layer, frames: int, size: int) -> int:
    """Return how many multiplications with addition one clip of frames × size × size costs."""
    return sum(cost.multiply_adds for cost in layer_costs(network, frames, size))
