"""Fast 3D convolutions for training on a CPU, equal to Paddle's own within rounding.

Paddle's CPU kernel unfolds every window of a clip value by value, in one thread, and multiplies clip by clip. Here its
layers compute with `numpy_convolution` instead.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import paddle
from paddle import nn
from paddle.autograd import PyLayer
from paddle.base import core

from video3d.compute.numpy_convolution import Geometry, convolve, gradient_of_input, gradient_of_weight


def use_fast_convolutions(network: nn.Layer, threads: int) -> None:
    """Let the ungrouped 3D convolutions of `network` compute with NumPy, in so many threads.

    Paddle's own kernels get one thread, so that nothing depends on the number of threads.
    """
    core.set_num_threads(1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="convolution")
    for layer in network.sublayers():
        if isinstance(layer, nn.Conv3D) and layer._groups == 1 and set(layer._dilation) == {1}:
            layer.forward = partial(_forward, layer, pool.map)


def _forward(layer: nn.Conv3D, parallel: Callable, x: paddle.Tensor) -> paddle.Tensor:
    return Convolution.apply(x, layer.weight, layer.bias, geometry(layer, x.shape[2:]), parallel)


def geometry(layer: nn.Conv3D, size: list[int]) -> Geometry:
    """Return stride and padding of a layer for an input of (T, H, W) = `size`."""
    kernel, stride = layer.weight.shape[2:], tuple(layer._stride)
    if layer._padding == "SAME":
        missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(size, stride, kernel, strict=True)]
        return Geometry(stride, tuple((m // 2, m - m // 2) for m in missing))
    sides = layer._padding if isinstance(layer._padding, list | tuple) else [layer._padding] * 3
    return Geometry(stride, tuple((side, side) for side in sides))


class Convolution(PyLayer):
    """A 3D convolution as a differentiable function of x (N, C, T, H, W), weight (O, C, kt, kh, kw) and bias (O,)."""

    @staticmethod
    def forward(ctx, x, weight, bias, geometry, parallel):
        """Return the output, float32 (N, O, T', H', W')."""
        ctx.save_for_backward(x, weight)
        wanted = [tensor is not None and not tensor.stop_gradient for tensor in (x, weight, bias)]
        ctx.facts = geometry, parallel, wanted, bias is not None
        y = convolve(_array(x), _array(weight), geometry, parallel)
        if bias is not None:
            y += _array(bias)[:, None, None, None]
        return paddle.to_tensor(y)

    @staticmethod
    def backward(ctx, gradient):
        """Return the gradients of x, weight and bias, if there is one; None where nobody asks, as for frozen stages."""
        x, weight = map(_array, ctx.saved_tensor())
        geometry, parallel, (of_x, of_weight, of_bias), has_bias = ctx.facts
        g = _array(gradient)
        results = [
            paddle.to_tensor(gradient_of_input(g, weight, x.shape[2:], geometry, parallel)) if of_x else None,
            paddle.to_tensor(gradient_of_weight(g, x, weight.shape, geometry, parallel)) if of_weight else None,
            gradient.sum(axis=[0, 2, 3, 4]) if of_bias else None,
        ]
        return tuple(results if has_bias else results[:2])


def _array(tensor: paddle.Tensor) -> np.ndarray:
    """Return the values of a tensor, without a copy."""
    return np.from_dlpack(tensor.detach().contiguous())
