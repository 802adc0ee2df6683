"""Two trainings never write the same checkpoints at a time."""

import errno
import fcntl
import subprocess
import threading

import pytest

from video3d.training import checkpoint_lock
from video3d.training.checkpoint_lock import hold_checkpoints

TRAIN = """
import logging, sys
from pathlib import Path
from video3d.training.checkpoint_lock import hold_checkpoints
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
hold_checkpoints(Path("checkpoints"))
print("trains", flush=True)
input()
"""
SECONDS_TO_ANSWER = 60


@pytest.fixture
def start(start_python):
    """Start trainings in the same folder, each in a process of its own."""

    def start() -> subprocess.Popen:
        process = start_python(TRAIN)
        timer = threading.Timer(SECONDS_TO_ANSWER, process.kill)  # so that one that says nothing fails the test
        timer.daemon = True
        timer.start()
        return process

    return start


def test_the_second_waits_and_says_so_until_the_first_is_killed(start):
    first = start()
    assert first.stdout.readline() == "trains\n"
    second = start()
    assert second.stdout.readline() == "waiting for another process that trains in checkpoints\n"
    first.kill()
    assert [second.stdout.readline(), second.stdout.readline()] == ["the other process has ended\n", "trains\n"]


def test_a_file_system_without_locks_is_no_error_but_said(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(checkpoint_lock, "_held", [])
    hold_checkpoints(tmp_path / "checkpoints")
    assert "cannot be locked (Function not implemented)" in caplog.text


def test_what_a_killed_training_left_half_written_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_lock, "_held", [])
    (tmp_path / "key/.checkpoint.npz.ab_12.part").mkdir(parents=True)
    (tmp_path / "key/checkpoint.npz").touch()
    hold_checkpoints(tmp_path)
    assert [path.name for path in (tmp_path / "key").iterdir()] == ["checkpoint.npz"]
