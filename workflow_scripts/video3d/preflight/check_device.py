"""The device and the engine that the settings ask for, as far as they are known without importing Paddle."""

import importlib.metadata
import os
import re
from collections.abc import Iterator
from pathlib import Path

from video3d.compute.gpu_messages import CPU_BUILD, NO_GPU
from video3d.evaluation.engines import misplaced_engine, missing_engine


def device_faults(device: str, devices: int) -> Iterator[str]:
    """Yield a message if GPUs are asked for that are not there: any for `device`, or as many as `train: devices`."""
    if device == "cpu":
        return
    gpus = usable_gpus()
    if device == "gpu" and not gpus:
        yield f"device: gpu, but {CPU_BUILD if is_cpu_build() else NO_GPU}; or set device: auto or device: cpu"
    elif 0 < gpus < devices:
        yield (
            f"train: devices: {devices}, but {gpus} GPUs are visible; set it to that number or less, or look at "
            "CUDA_VISIBLE_DEVICES"
        )


def engine_faults(engine: str, device: str, computes_here: bool) -> Iterator[str]:
    """Yield a message if the engine cannot run on the device; `computes_here`: whether jobs run on this machine."""
    used = device_here(device) if computes_here else device
    if fault := misplaced_engine(engine, used) or (missing_engine(engine) if computes_here else None):
        yield fault


def device_here(device: str) -> str:
    """Return what `device` comes to on this machine: "gpu" or "cpu"; "auto" if only Paddle could tell."""
    if device != "auto":
        return device
    if not usable_gpus():
        return "cpu"
    return "gpu" if _installed("paddlepaddle-gpu") else "auto"


def usable_gpus() -> int:
    """Return how many GPUs the installed Paddle may use; the visible ones if Paddle is installed for the jobs only."""
    return 0 if is_cpu_build() else count_visible_gpus()


def is_cpu_build() -> bool:
    """Return whether the installed Paddle cannot use a GPU."""
    return _installed("paddlepaddle") and not _installed("paddlepaddle-gpu")


def count_visible_gpus() -> int:
    """Return how many of this machine's NVIDIA GPUs a program that is started here may use."""
    devices = sum(bool(re.fullmatch(r"nvidia\d+", path.name)) for path in Path("/dev").glob("nvidia*"))
    if not devices and Path("/dev/dxg").exists():  # Windows' subsystem for Linux has one device for all
        devices = 1
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return devices if named is None else min(devices, sum(bool(name.strip()) for name in named.split(",")))


def _installed(package: str) -> bool:
    try:
        return bool(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return False
