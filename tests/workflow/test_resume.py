"""A training that is killed in the middle goes on from its last checkpoint and ends with the same weights."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from helpers.tiny_project import Workflow

EPOCHS = "train={epochs: 6, milestones: [3]}"
WEIGHTS = "results/tiny/split1/seed7/weights.pdparams"
LOG = "logs/train/tiny/split1_seed7.log"


def kill_everything(process: subprocess.Popen) -> None:
    """kill -9 to Snakemake and everything that it started."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        if member.is_running():
            os.kill(member.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def longer_training(finished_project, tmp_path_factory) -> tuple[Path, bytes]:
    """A project whose first training is to be repeated with more epochs, and the weights that come of it.

    It was done once: the weights, the checkpoints that could make them, and the log are taken away.
    """
    folder = tmp_path_factory.mktemp("longer") / "project"
    shutil.copytree(finished_project, folder, symlinks=True)
    Workflow(folder).run("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    expected = (folder / WEIGHTS).read_bytes()
    shutil.rmtree(folder / "results/tiny/split1/seed7/checkpoints")
    (folder / WEIGHTS).unlink()
    (folder / LOG).unlink()
    return folder, expected


@pytest.fixture
def unfinished(longer_training, tmp_path) -> tuple[Workflow, bytes]:
    """A copy of it, to be changed at will."""
    folder, expected = longer_training
    shutil.copytree(folder, tmp_path / "project", symlinks=True)
    return Workflow(tmp_path / "project"), expected


def start_training(workflow: Workflow, until: str) -> subprocess.Popen:
    """Start the training in a process group of its own and wait until its log says this."""
    command = workflow.command("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    process = subprocess.Popen(
        command,
        cwd=workflow.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    log = workflow.folder / LOG
    deadline = time.monotonic() + 120
    while until not in (log.read_text() if log.exists() else ""):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("epoch", [1, 4])
def test_killed_training_resumes_to_the_same_weights(unfinished, epoch):
    workflow, expected = unfinished
    process = start_training(workflow, until=f"epoch {epoch}")
    kill_everything(process)
    process.communicate()
    assert not (workflow.folder / WEIGHTS).exists()

    text = workflow.run("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    assert "resum" in text
    assert (workflow.folder / WEIGHTS).read_bytes() == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_training_is_saved_and_resumes_to_the_same_weights(unfinished, number):
    """Ctrl-C goes to every process of the terminal's foreground; so does many a cluster's SIGTERM."""
    workflow, expected = unfinished
    process = start_training(workflow, until="epoch 2")
    os.killpg(process.pid, number)
    text = process.communicate(timeout=30)[0]
    assert process.returncode != 0 and "Traceback" not in text
    last = text.splitlines()[-1]
    assert last.startswith("interrupted in train (split 1, seed 7): the training is saved") and "goes on" in last
    assert (workflow.folder / LOG).read_text().splitlines()[-1].startswith("interrupted: the training is saved")
    assert not (workflow.folder / WEIGHTS).exists()

    text = workflow.run("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    assert "going on from epoch" in text
    assert (workflow.folder / WEIGHTS).read_bytes() == expected
    metadata = json.loads((workflow.folder / WEIGHTS).with_suffix(".json").read_text())
    assert len(metadata["attempts"]) == 2


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
