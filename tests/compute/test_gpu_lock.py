import os
import signal
import time

import pytest

from video3d.common.errors import UserError
from video3d.compute import gpu_lock as module
from video3d.compute.gpu_lock import lock_gpus, visible_gpus

HOLDER = """
import sys, time
from pathlib import Path
from video3d.compute.gpu_lock import lock_gpus
print(lock_gpus(["4", "7"], int(sys.argv[2]), Path(sys.argv[1])), flush=True)
time.sleep(60)
"""


@pytest.fixture
def hold(start_python, tmp_path):
    """Start a process that locks some of two pretended GPUs and returns it with the line it prints."""
    return lambda count=1, **variables: start_python(HOLDER, str(tmp_path), str(count), **variables)


def test_each_job_takes_a_free_gpu_and_a_third_waits_until_one_is_killed(hold):
    first, second = hold(), hold()
    assert sorted([first.stdout.readline(), second.stdout.readline()]) == ["[0]\n", "[1]\n"]
    third = hold()
    os.set_blocking(third.stdout.fileno(), False)
    time.sleep(0.7)
    assert not third.stdout.readline()
    first.send_signal(signal.SIGKILL)
    os.set_blocking(third.stdout.fileno(), True)
    assert third.stdout.readline() in ("[0]\n", "[1]\n")


def test_a_job_of_two_waits_for_both_without_holding_one(hold, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_TRIES", 0.05)
    first = hold()
    taken = first.stdout.readline()
    pair = hold(count=2)
    time.sleep(0.7)
    other = 1 if taken == "[0]\n" else 0
    assert lock_gpus(["4", "7"], 1, tmp_path) == [other]
    for file in module._held:
        file.close()
    module._held.clear()
    first.kill()
    assert pair.stdout.readline() == "[0, 1]\n"


def test_more_gpus_than_there_are_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"devices: 2, but 1 GPUs are visible \(0\)"):
        lock_gpus(["0"], 2, tmp_path)


def test_cuda_visible_devices_is_respected(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-ab12")
    assert visible_gpus(2) == ["3", "GPU-ab12"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_gpus(2) == ["0", "1"]


def test_jobs_do_not_wait_for_each_other_where_slurm_gave_each_its_own_gpus(hold):
    """With devices in cgroups each job sees its own two as 0 and 1; HOLDER's names are the same for all, too."""
    gpus_of = {"1": "0,1", "2": "2,3"}
    jobs = [hold(count=2, SLURM_JOB_ID=job, SLURM_JOB_GPUS=gpus) for job, gpus in gpus_of.items()]
    assert [job.stdout.readline() for job in jobs] == ["[0, 1]\n", "[0, 1]\n"]


def test_tasks_of_one_slurm_job_share_its_gpus(hold):
    tasks = [hold(SLURM_JOB_ID="1", SLURM_STEP_GPUS="0,1") for _ in range(2)]
    assert sorted(task.stdout.readline() for task in tasks) == ["[0]\n", "[1]\n"]


def test_jobs_share_the_gpus_of_a_machine_that_slurm_does_not_hand_out(hold):
    jobs = [hold(SLURM_JOB_ID=job) for job in ("1", "2")]
    assert sorted(job.stdout.readline() for job in jobs) == ["[0]\n", "[1]\n"]
