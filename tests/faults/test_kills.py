"""Everything is killed at once, at any moment; the same command then finishes the work, with the same bytes."""

import os
import signal
import subprocess
import time

import pytest

WEIGHTS = "results/tiny/split1/seed7/weights.pdparams"


def start(workflow, *arguments):
    return subprocess.Popen(
        workflow.command(*arguments),
        cwd=workflow.folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(path, process):
    deadline = time.monotonic() + 300
    while not os.path.lexists(path):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.1])
def test_a_kill_just_after_the_archive_has_appeared_does_not_pass_for_done(fresh, seconds):
    process = start(fresh, "--", "data/tiny/frames/24px_q80/Retreat.csv")
    wait_for(fresh.folder / "resources/tiny/videos.zip", process)
    time.sleep(seconds)
    kill(process)
    assert "unpack" in fresh.would_run()
    fresh.run("--", "data/tiny/frames/24px_q80/Retreat.csv")
    assert (fresh.folder / "data/tiny/frames/24px_q80/Retreat.zip").exists()


@pytest.mark.faults
def test_an_archive_that_was_asked_for_alone_does_not_pass_for_done(fresh):
    fresh.run("--", "resources/tiny/videos.zip")
    fresh.run("--", "data/tiny/frames/24px_q80/Retreat.csv")
    assert (fresh.folder / "data/tiny/frames/24px_q80/Retreat.zip").exists()


@pytest.mark.faults
@pytest.mark.parametrize(
    "appears",
    [
        "data/tiny/videos/.unpacked",
        "data/tiny/frames/24px_q80/Retreat.zip",
        "results/tiny/splits/split1.csv",
        "results/tiny/split1/seed7/checkpoints",
        WEIGHTS,
        "results/tiny/split1/seed7/model",
        "results/tiny/split2/seed7/segments/metrics.json",
    ],
)
def test_a_kill_of_everything_asks_nothing_and_changes_no_byte(fresh, finished_project, appears):
    process = start(fresh)
    wait_for(fresh.folder / appears, process)
    kill(process)
    fresh.run()
    for path in ("accuracy.csv", "split1/seed7/weights.pdparams", "split2/seed7/segments/predictions.csv"):
        assert (fresh.folder / "results/tiny" / path).read_bytes() == (
            finished_project / "results/tiny" / path
        ).read_bytes()
    assert not list(fresh.folder.glob("[rd]*/**/.*.part"))
    assert fresh.would_run() == {}
