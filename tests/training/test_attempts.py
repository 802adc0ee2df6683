import subprocess
import sys
import time

from helpers.paths import PROJECT
from video3d.training.attempts import Attempt, read_attempts


def test_every_attempt_counts(tmp_path):
    assert read_attempts(tmp_path) == []
    for device, seconds in (("cpu", 0.3), ("gpu", 0.1)):
        with Attempt(tmp_path / "key", device):
            time.sleep(seconds)
    first, second = read_attempts(tmp_path / "key")
    assert (first["device"], second["device"]) == ("cpu", "gpu")
    assert 0.3 <= first["seconds"] < 5 and 0.1 <= second["seconds"] < 5


def test_an_attempt_that_is_killed_counts_as_far_as_it_is_known(tmp_path):
    program = f"""
import os, signal, time
from pathlib import Path
from video3d.training import attempts
attempts.SECONDS_BETWEEN_WRITES = 0.1
with attempts.Attempt(Path({str(tmp_path)!r}), "cpu"):
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(PROJECT / "workflow_scripts")})
    (killed,) = read_attempts(tmp_path)
    assert 0.7 <= killed["seconds"] <= 1.1
