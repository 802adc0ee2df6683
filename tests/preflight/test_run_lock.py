"""Locks that killed runs left are removed by whoever is alone, and by nobody else."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from video3d.common.errors import UserError
from video3d.preflight import run_lock

RUN = "from video3d.preflight.run_lock import hold_folder; hold_folder(); print('holds', flush=True); input()"
OTHER_PROCESSES = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a lock in it, as Snakemake leaves it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_lock, "_held", [])
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    yield tmp_path
    for file in run_lock._held:
        file.close()


@pytest.fixture
def start(folder, start_python):
    """Start runs, each in a process of its own; each returns when it holds the folder."""

    def start(*namespace: str) -> subprocess.Popen:
        process = start_python(RUN, within=namespace)
        assert process.stdout.readline() == "holds\n"
        return process

    return start


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def leave_lock(folder: Path) -> Path:
    """Leave another of Snakemake's locks, as the run that holds the folder does."""
    lock = folder / ".snakemake/locks/1.output.lock"
    lock.touch()
    return lock


def test_whoever_is_alone_removes_what_was_left(folder):
    run_lock.hold_folder()
    assert not list((folder / ".snakemake/locks").iterdir())


def test_the_locks_of_a_living_run_stay_and_those_of_a_killed_one_go(folder, start):
    first = start()
    lock = leave_lock(folder)
    second = start()
    assert lock.exists()
    kill(first)
    start()
    assert lock.exists()  # the second lives
    kill(second)
    assert lock.exists()


def test_after_the_last_of_several_runs_was_killed_their_locks_go(folder, start):
    runs = [start(), start()]
    lock = leave_lock(folder)
    for run in runs:
        kill(run)
    run_lock.hold_folder()
    assert not lock.exists()


def test_runs_that_do_not_see_each_others_processes_see_each_others_locks(folder, start):
    """As in two containers: both runs are process 1, and neither can look whether the other lives."""
    if not shutil.which("unshare") or subprocess.run([*OTHER_PROCESSES, "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no namespaces of processes")
    first = start(*OTHER_PROCESSES)
    lock = leave_lock(folder)
    second = start(*OTHER_PROCESSES)
    assert lock.exists()
    kill(first)
    kill(second)
    start(*OTHER_PROCESSES)
    assert not lock.exists()


def test_a_job_of_a_killed_run_does_not_hold_its_folder(folder, start):
    run_lock.hold_folder()
    job = subprocess.Popen(["sleep", "60"])
    run_lock._held.pop().close()
    lock = leave_lock(folder)
    start()
    assert not lock.exists()
    job.kill()
    job.wait()


def test_where_there_are_no_locks_nothing_is_removed(folder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    run_lock.hold_folder()
    assert len(list((folder / ".snakemake/locks").iterdir())) == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_named(folder, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number), ".snakemake/run.lock")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=f"run.lock .*{os.strerror(number)}"):
        run_lock.hold_folder()


def test_nobody_unlocks_while_another_run_lives(folder, start):
    living = start()
    lock = leave_lock(folder)
    with pytest.raises(UserError, match="another call of Snakemake works in"):
        run_lock.hold_folder(unlock=True)
    assert lock.exists()
    kill(living)
    run_lock.hold_folder(unlock=True)
    assert not lock.exists()


def test_what_jobs_had_half_written_goes_when_no_run_lives(folder, start):
    living = start()
    left = folder / "results/run/split1/seed7/.model.123.part"
    left.mkdir(parents=True)
    run_lock.hold_folder()
    assert left.exists()
    kill(living)
    run_lock._held.pop().close()
    run_lock.hold_folder()
    assert not left.exists()


def test_a_nearly_full_disk_stops_a_run(folder, monkeypatch):
    monkeypatch.setattr(run_lock, "BYTES_FOR_NOTES", 10**15)
    with pytest.raises(UserError, match=r"Snakemake needs 1,000,000.00 GB, but .*/\.snakemake has"):
        run_lock.hold_folder()
