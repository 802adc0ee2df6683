"""Devices and engines that cannot be had are found without Paddle and without a GPU."""

from importlib.machinery import ModuleSpec

import pytest

from video3d.evaluation import engines
from video3d.preflight import check_device

ON_A_GPU, ON_A_CPU = "tensorrt runs on a GPU, not on the CPU", "onednn runs on a CPU, not on the GPU"


@pytest.mark.parametrize(
    ("engine", "device", "packages", "gpus", "words"),
    [
        ("tensorrt", "cpu", {"paddlepaddle-gpu"}, 1, ON_A_GPU),
        ("tensorrt", "auto", {"paddlepaddle"}, 1, ON_A_GPU),
        ("tensorrt", "auto", {"paddlepaddle-gpu"}, 0, ON_A_GPU),
        ("tensorrt", "auto", {"paddlepaddle-gpu"}, 1, "tensorrt cannot be used"),
        ("onednn", "gpu", {"paddlepaddle-gpu"}, 1, ON_A_CPU),
        ("onednn", "auto", {"paddlepaddle-gpu"}, 1, ON_A_CPU),
        ("onednn", "auto", set(), 1, None),  # Paddle is installed for the jobs only, who knows which build
        ("onednn", "auto", {"paddlepaddle"}, 1, None),
        ("onednn", "cpu", {"paddlepaddle-gpu"}, 1, None),
        ("plain", "gpu", {"paddlepaddle-gpu"}, 1, None),
        ("auto", "auto", {"paddlepaddle-gpu"}, 0, None),
    ],
)
def test_engines_that_cannot_run_on_the_device(monkeypatch, engine, device, packages, gpus, words):
    monkeypatch.setattr(check_device, "_installed", packages.__contains__)
    monkeypatch.setattr(check_device, "count_visible_gpus", lambda: gpus)
    monkeypatch.setattr(engines, "find_spec", {"paddle": ModuleSpec("paddle", None, is_package=True)}.get)
    said = list(check_device.engine_faults(engine, device, computes_here=True))
    assert (words in said[0]) if words else said == []


def test_jobs_elsewhere_are_judged_by_the_device_that_is_set(monkeypatch):
    monkeypatch.setattr(check_device, "count_visible_gpus", lambda: pytest.fail("looked for GPUs here"))
    said = {
        (engine, device): list(check_device.engine_faults(engine, device, computes_here=False))
        for engine in ("tensorrt", "onednn")
        for device in ("auto", "cpu", "gpu")
    }
    assert {asked for asked, faults in said.items() if faults} == {("tensorrt", "cpu"), ("onednn", "gpu")}


@pytest.mark.parametrize(
    ("device", "devices", "packages", "gpus", "words"),
    [
        ("gpu", 1, {"paddlepaddle"}, 4, "device: gpu, but the installed PaddlePaddle is the CPU build"),
        ("gpu", 1, {"paddlepaddle-gpu"}, 0, "device: gpu, but no GPU is visible"),
        ("gpu", 4, {"paddlepaddle-gpu"}, 2, "train: devices: 4, but 2 GPUs are visible"),
        ("auto", 4, {"paddlepaddle-gpu"}, 2, "train: devices: 4, but 2 GPUs are visible"),
        ("gpu", 2, {"paddlepaddle-gpu"}, 2, None),
        ("gpu", 1, set(), 1, None),
        ("auto", 2, {"paddlepaddle"}, 2, None),
        ("cpu", 2, {"paddlepaddle-gpu"}, 0, None),
    ],
)
def test_gpus_that_are_not_there(monkeypatch, device, devices, packages, gpus, words):
    monkeypatch.setattr(check_device, "_installed", packages.__contains__)
    monkeypatch.setattr(check_device, "count_visible_gpus", lambda: gpus)
    said = list(check_device.device_faults(device, devices))
    assert (words in said[0]) if words else said == []
