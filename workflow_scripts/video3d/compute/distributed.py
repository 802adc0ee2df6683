"""Several processes that train one network, each with its shard of every batch.

Sums over the batch are taken over all processes: of the gradients, and of the statistics of batch norm. So the result
is, within rounding, that of one process with the whole batch; but mixup, cutmix and dropout are drawn by each process
for its shard, and `gradient_accumulation_steps` makes other parts of a batch, so other statistics of batch norm.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import paddle
from paddle import distributed, nn
from paddle.autograd import PyLayer

from video3d.common.errors import UserError
from video3d.compute.interruption import SIGNALS

Item = TypeVar("Item")
AXES = [0, 2, 3, 4]


class ProcessGroup(NamedTuple):
    """The processes that train together: this one is number `rank` of `size`, from 0."""

    rank: int = 0
    size: int = 1

    def shard(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return this process's part of a batch, or of any sequence; every item is in the shard of one process."""
        return items[self.rank * len(items) // self.size : (self.rank + 1) * len(items) // self.size]

    def all_reduce_sum(self, *values: float) -> list[float]:
        """Return the sum over all processes of each of these numbers."""
        if self.size == 1:
            return list(values)
        tensor = paddle.to_tensor(values, "float64")
        distributed.all_reduce(tensor)
        return tensor.tolist()

    def all_reduce_gradients(self, network: nn.Layer) -> None:
        """Replace every gradient by its sum over all processes."""
        if self.size > 1:
            for parameter in network.parameters():
                if parameter.grad is not None:
                    distributed.all_reduce(parameter.grad)

    def synchronise_batch_norm(self, network: nn.Layer) -> None:
        """Let every batch norm of `network` use the clips of all processes."""
        if self.size > 1:
            for layer in network.sublayers():
                if isinstance(layer, nn.BatchNorm3D):
                    layer.forward = partial(_forward, layer, layer.forward)


SINGLE_PROCESS = ProcessGroup()


def run_in_group(size: int, device: str, function: Callable[..., None], *arguments: object) -> None:
    """Call `function(group, *arguments)` in `size` processes; in this one if that is 1.

    They talk through gloo on CPUs and through NCCL on GPUs. What a process raises ends all; a UserError of one is
    raised here. Ctrl-C and SIGTERM are passed on to the first process until it has ended: then this one ends too.
    """
    if size == 1:
        function(SINGLE_PROCESS, *arguments)
        return
    backend = "nccl" if device == "gpu" else "gloo"
    received: list[int] = []
    # Processes that start ignore what is ignored here: they are interrupted when they are ready to keep their work.
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        context = distributed.spawn(
            _run_member, (device, function, arguments), nprocs=size, join=False, backend=backend
        )
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: received.append(number))
        while not context.join(timeout=1):
            if received and context.processes[0].is_alive():
                os.kill(context.processes[0].pid, received[0])
    except Exception as error:
        if received:  # the first process has said what there is to say
            sys.exit(128 + received[0])
        _, mark, message = str(error).rpartition("UserError: ")
        if mark:
            raise UserError(message.strip()) from None
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _run_member(device: str, function: Callable[..., None], arguments: tuple) -> None:
    paddle.disable_signal_handler()  # as in use_device
    if device == "cpu":
        paddle.set_device("cpu")
    distributed.init_parallel_env()
    level = logging.INFO if distributed.get_rank() == 0 else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", force=True)  # Paddle has a format and level of its own
    threading.Thread(target=_end_with_parent, daemon=True).start()
    function(ProcessGroup(distributed.get_rank(), distributed.get_world_size()), *arguments)


def _end_with_parent() -> None:
    """End this process when the one that started it is killed, as others may then take its GPUs."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _forward(layer: nn.BatchNorm3D, own_forward: Callable, x: paddle.Tensor) -> paddle.Tensor:
    """Compute what the layer does, in training with the statistics of all processes."""
    if not layer.training:
        return own_forward(x)
    y, mean, variance = SyncBatchNorm.apply(x, layer.weight, layer.bias, layer._epsilon)
    for running, current in ((layer._mean, mean), (layer._variance, variance)):
        running.set_value(running * layer._momentum + current.detach() * (1 - layer._momentum))
    return y


class SyncBatchNorm(PyLayer):
    """Batch norm of x (N, C, T, H, W) with the mean and variance over the clips of all processes.

    Source: Ioffe and Szegedy, "Batch Normalization", ICML 2015, for the gradient.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, epsilon):
        """Return the normalised values, and the mean and (biased) variance of each channel.

        Sums are float32 whatever the precision of x: half precision ends at 65,504, fewer than a channel has values.
        """
        ctx.precision, ctx.input_matters = x.dtype, not x.stop_gradient
        x = x.astype("float32")
        channels = x.shape[1]
        sums = paddle.concat([x.sum(AXES), paddle.full([1], x.size // channels, x.dtype)])
        distributed.all_reduce(sums)
        count, mean = sums[-1], sums[:-1] / sums[-1]
        centred = x - _wide(mean)
        squares = (centred * centred).sum(AXES)
        distributed.all_reduce(squares)
        variance = squares / count
        scale = paddle.rsqrt(variance + epsilon)
        normalised = centred * _wide(scale)
        ctx.save_for_backward(normalised, weight, scale, count)
        return (normalised * _wide(weight) + _wide(bias)).astype(ctx.precision), mean, variance

    @staticmethod
    def backward(ctx, gradient, _mean_gradient, _variance_gradient):
        """Return the gradients of x, weight and bias; the last two of this process's clips only, as of all weights."""
        normalised, weight, scale, count = ctx.saved_tensor()
        gradient = gradient.astype("float32")
        of_bias, of_weight = gradient.sum(AXES), (gradient * normalised).sum(AXES)
        sums = paddle.concat([of_bias, of_weight])
        distributed.all_reduce(sums)
        if not ctx.input_matters:
            return None, of_weight, of_bias
        means = _wide(sums / count)
        channels = weight.shape[0]
        of_x = _wide(weight * scale) * (gradient - means[:, :channels] - normalised * means[:, channels:])
        return of_x.astype(ctx.precision), of_weight, of_bias


def _wide(values: paddle.Tensor) -> paddle.Tensor:
    """Shape one value per channel for (N, C, T, H, W)."""
    return values.reshape([1, -1, 1, 1, 1])
