"""A training that is killed in the middle goes on from its last checkpoint and ends with the same weights."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

import psutil
import pytest

EPOCHS = "train={epochs: 6, milestones: [3]}"
WEIGHTS = "results/tiny/split1/seed7/weights.pdparams"


def kill_everything(process: subprocess.Popen) -> None:
    """kill -9 to Snakemake and everything that it started."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        if member.is_running():
            os.kill(member.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("epoch", [1, 4])
def test_killed_training_resumes_to_the_same_weights(finished, epoch):
    finished.run("--config", EPOCHS, "--", WEIGHTS)
    expected = (finished.folder / WEIGHTS).read_bytes()
    checkpoints = finished.folder / "results/tiny/split1/seed7/checkpoints"
    for path in sorted(checkpoints.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (finished.folder / WEIGHTS).unlink()

    command = finished.command("--config", EPOCHS, "--", WEIGHTS)
    process = subprocess.Popen(command, cwd=finished.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = finished.folder / "logs/train/tiny/split1_seed7.log"
    deadline = time.monotonic() + 120
    while f"epoch {epoch}" not in (log.read_text() if log.exists() else ""):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    kill_everything(process)
    assert not (finished.folder / WEIGHTS).exists()

    text = finished.run("--config", EPOCHS, "--", WEIGHTS)
    assert "resum" in text
    assert (finished.folder / WEIGHTS).read_bytes() == expected


def test_a_lock_stays_while_one_of_the_runs_lives(finished):
    """Two runs shared the folder; the one that was killed must not take the lock of the other with it."""
    owners, locks = finished.folder / ".snakemake/owners", finished.folder / ".snakemake/locks"
    shutil.rmtree(owners, ignore_errors=True)
    owners.mkdir()
    living = psutil.Process()
    (owners / "living.json").write_text(json.dumps([socket.gethostname(), living.pid, living.create_time()]))
    (owners / "killed.json").write_text(json.dumps([socket.gethostname(), living.pid, 0]))
    locks.mkdir(exist_ok=True)
    lock = locks / "0.output.lock"
    lock.write_text(WEIGHTS)
    assert "locked" in finished.fail("--force", WEIGHTS)
    assert lock.exists()
    (owners / "living.json").unlink()
    finished.run("--force", WEIGHTS)
    assert not lock.exists()
