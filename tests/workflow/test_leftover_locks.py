"""Locks of Snakemake's that a killed run left are removed by the next run that is alone, and by nothing else."""

import fcntl
import os
import signal
import subprocess
import time

import psutil
import pytest

LISTS = "resources/tiny/ucfTrainTestlist"  # which takes a second to make
QUICK, SLOW = 'command=command("download_splits")', 'command="sleep 300; true"'


@pytest.fixture
def left(fresh):
    """The lock of a run that was killed while it made the lists."""
    lock = fresh.folder / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(LISTS)
    return lock


def test_a_killed_run_asks_nothing_of_the_next(fresh, left):
    fresh.run("--", LISTS)
    assert not left.exists()


def test_while_another_run_lives_its_locks_stay(fresh, left):
    with (fresh.folder / ".snakemake/run.lock").open("a") as living:
        fcntl.flock(living, fcntl.LOCK_SH)
        assert "locked" in fresh.fail("--", LISTS)
        assert left.exists()


@pytest.mark.parametrize("looking", [("--dry-run", "--", LISTS), ("--lint",)])
def test_who_only_looks_removes_nothing_and_holds_nothing(fresh, left, looking):
    fresh.run(*looking)
    assert left.exists() and not (fresh.folder / ".snakemake/run.lock").exists()


def test_of_two_runs_the_second_is_stopped_until_the_first_is_killed(fresh):
    fresh.edit("rules/download.smk", QUICK, SLOW)
    first = subprocess.Popen(fresh.command("--", LISTS), cwd=fresh.folder, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not any("sleep" in job.name() for job in psutil.Process(first.pid).children(recursive=True)):
            assert first.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        assert "locked" in fresh.fail("--", LISTS)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert list((fresh.folder / ".snakemake/locks").glob("*.lock"))
    fresh.edit("rules/download.smk", SLOW, QUICK)
    fresh.run("--", LISTS)
    assert (fresh.folder / LISTS / "classInd.txt").exists()
