"""The device that Paddle computes on, and its number of threads."""

import os

import paddle
from paddle.base import core

from video3d.common.errors import UserError
from video3d.compute.gpu_lock import lock_gpus, visible_gpus
from video3d.compute.gpu_messages import CPU_BUILD, NO_GPU


def use_device(device: str, threads: int, count: int = 1) -> str:
    """Make Paddle compute on `device` ("auto", "gpu" or "cpu") with so many CPU threads; return "gpu" or "cpu".

    On a machine with several GPUs the first that no other job of this user holds is taken, or `count` of them.
    Raises UserError if `gpu` is asked for and Paddle cannot use one.
    """
    # Paddle's handler of SIGTERM allocates memory, so a process that is told to end while it does so hangs for ever.
    paddle.disable_signal_handler()
    problem = gpu_problem()
    if device == "gpu" and problem:
        raise UserError(f"device: gpu, but {problem}; or set device: auto or device: cpu")
    # Paddle's matrix library takes its slowest path on AMD processors unless it is told that they have AVX2. It looks
    # when it computes for the first time, so a program that only imports this library keeps Paddle's own arithmetic.
    os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "5")
    core.set_num_threads(threads)
    if device == "cpu" or problem:
        paddle.set_device("cpu")
        return "cpu"
    gpus = visible_gpus(paddle.device.cuda.device_count())
    taken = lock_gpus(gpus, count)
    if count == 1:
        paddle.set_device(f"gpu:{taken[0]}")
    else:  # the processes that are started for them see these only
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus[index] for index in taken)
    return "gpu"


def gpu_problem() -> str | None:
    """Return why Paddle cannot use a GPU here and what to do about it, or None if it can."""
    if not paddle.is_compiled_with_cuda():
        return CPU_BUILD
    if paddle.device.cuda.device_count() < 1:
        return NO_GPU
    return None
