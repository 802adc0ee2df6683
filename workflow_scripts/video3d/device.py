"""The device that Paddle computes on, and its number of threads."""

import paddle
from paddle.base import core

from video3d.console import UserError


def use_device(device: str, threads: int) -> str:
    """Make Paddle compute on `device` ("auto", "gpu" or "cpu") with so many CPU threads; returns "gpu" or "cpu".

    Raises UserError if `gpu` is asked for and Paddle cannot use one.
    """
    problem = gpu_problem()
    if device == "gpu" and problem:
        raise UserError(f"device: gpu, but {problem}; or set device: auto or device: cpu")
    chosen = "cpu" if device == "cpu" or problem else "gpu"
    paddle.set_device(chosen)
    core.set_num_threads(threads)
    return chosen


def gpu_problem() -> str | None:
    """Why Paddle cannot use a GPU here and what to do about it, or None if it can."""
    if not paddle.is_compiled_with_cuda():
        return "the installed PaddlePaddle is the CPU build: install the GPU build (see envs/)"
    if paddle.device.cuda.device_count() < 1:
        return "no GPU is visible: look at nvidia-smi and CUDA_VISIBLE_DEVICES"
    return None
