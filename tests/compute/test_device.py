"""Which GPU is taken; GPUs are pretended, as Paddle's CPU build has none."""

import os
import re
import signal
import subprocess
import sys

import paddle
import pytest

from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.compute import device


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """Pretend that the GPUs 3, 5 and 7 are visible; what Paddle is told to use is appended to the list."""
    told = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,7")
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: True)
    monkeypatch.setattr(paddle.device.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(paddle, "set_device", told.append)
    monkeypatch.setattr(device, "lock_gpus", lambda gpus, count: lock_gpus(gpus, count, tmp_path))
    return told


lock_gpus = device.lock_gpus


def test_jobs_take_one_gpu_each_by_its_place_among_the_visible_ones(chosen):
    assert [device.use_device("auto", 1), device.use_device("gpu", 1)] == ["gpu", "gpu"]
    assert chosen == ["gpu:0", "gpu:1"]


def test_a_team_sees_the_gpus_that_it_holds(chosen):
    assert device.use_device("auto", 1) == "gpu"
    assert device.use_device("auto", 1, count=2) == "gpu"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5,7" and chosen == ["gpu:0"]


def test_more_gpus_than_visible_are_refused(chosen):
    with pytest.raises(UserError, match=r"train: devices: 4, but 3 GPUs are visible \(3, 5, 7\)"):
        device.use_device("auto", 1, count=4)


def test_the_cpu_takes_no_gpu(chosen):
    assert device.use_device("cpu", 1) == "cpu"
    assert chosen == ["cpu"]


def test_a_process_that_is_told_to_end_ends():
    """Paddle's own handler of SIGTERM can wait for ever for a lock that the interrupted program holds."""
    program = "from video3d.compute.device import use_device; use_device('cpu', 1)"
    program += "; print(open('/proc/self/status').read())"
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "workflow_scripts")}
    status = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True).stdout
    (caught,) = re.findall(r"^SigCgt:\t(\w+)$", status, flags=re.MULTILINE)
    assert not int(caught, 16) >> signal.SIGTERM - 1 & 1


def test_a_gpu_that_paddle_cannot_use_is_an_error_only_if_it_was_asked_for(chosen, monkeypatch):
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: False)
    assert device.use_device("auto", 1) == "cpu"
    with pytest.raises(UserError, match=r"device: gpu, but the installed PaddlePaddle is the CPU build"):
        device.use_device("gpu", 1)
    monkeypatch.setattr(paddle, "is_compiled_with_cuda", lambda: True)
    monkeypatch.setattr(paddle.device.cuda, "device_count", lambda: 0)
    with pytest.raises(UserError, match=r"no GPU is visible"):
        device.use_device("gpu", 1)
