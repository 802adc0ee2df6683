"""A training that is killed in the middle goes on from its last checkpoint and ends with the same weights."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from helpers.tiny_project import Workflow

EPOCHS = "train={epochs: 12, milestones: [6]}"
WEIGHTS = "results/tiny/split1/seed7/weights.pdparams"
LOG = "logs/train/tiny/split1_seed7.log"


def kill_everything(process: subprocess.Popen) -> None:
    """kill -9 to Snakemake and everything that it started."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        if member.is_running():
            os.kill(member.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def unfinished(finished) -> tuple[Workflow, bytes]:
    """A project whose first training is to be repeated with more epochs, and the weights that come of it.

    It was done once: the weights, the checkpoints that could make them, and the log are taken away.
    """
    finished.run("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    expected = (finished.folder / WEIGHTS).read_bytes()
    shutil.rmtree(finished.folder / "results/tiny/split1/seed7/checkpoints")
    (finished.folder / WEIGHTS).unlink()
    (finished.folder / LOG).unlink()
    return finished, expected


def start_training(workflow: Workflow, until: int) -> subprocess.Popen:
    """Start the training in a process group of its own and wait until it is in this epoch."""
    command = workflow.command("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    process = subprocess.Popen(
        command,
        cwd=workflow.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while epoch_of(workflow) < until:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    return process


def epoch_of(workflow: Workflow) -> int:
    """How far the training is by the log of its present job."""
    log = workflow.folder / LOG
    epochs = re.findall(r"^epoch (\d+)", log.read_text() if log.exists() else "", flags=re.MULTILINE)
    return int(epochs[-1]) if epochs else 0


def interrupt(process: subprocess.Popen, number: signal.Signals, log: Path) -> None:
    """Tell everything that Snakemake started to end, and look at what was said last."""
    os.killpg(process.pid, number)
    text = process.communicate(timeout=60)[0]
    assert process.returncode != 0 and "Traceback" not in text
    last = text.splitlines()[-1]
    assert last.startswith("interrupted in train (split 1, seed 7): the training is saved") and "goes on" in last
    assert log.read_text().splitlines()[-1].startswith("interrupted: the training is saved")


def test_a_training_that_is_ended_again_and_again_gives_the_same_weights(unfinished):
    """Ctrl-C goes to every process of the terminal's foreground; so does many a cluster's SIGTERM."""
    workflow, expected = unfinished
    for epoch, number in ((1, signal.SIGKILL), (4, signal.SIGINT), (7, signal.SIGTERM), (10, signal.SIGKILL)):
        process = start_training(workflow, until=epoch)
        if number == signal.SIGKILL:
            kill_everything(process)
            process.communicate()
        else:
            interrupt(process, number, workflow.folder / LOG)
        assert not (workflow.folder / WEIGHTS).exists()

    text = workflow.run("--config", EPOCHS, "replace=true", "--", WEIGHTS)
    assert "going on from epoch" in text
    assert (workflow.folder / WEIGHTS).read_bytes() == expected
    metadata = json.loads((workflow.folder / WEIGHTS).with_suffix(".json").read_text())
    assert len(metadata["attempts"]) == 5
