import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from safetensors.numpy import save_file

import train
from helpers.paths import PROJECT
from helpers.script_call import call
from helpers.tiny_packs import write_dataset
from video3d.common.files import sha256
from video3d.weights.import_weights import load_any

SETTINGS = {
    "model": {"depth": 10, "width": 4},
    "clip": {"frames": 4, "size": 16},
    "train": {"batch_size": 4, "epochs": 20, "learning_rate": 0.05},
}

ONE_EPOCH = SETTINGS | {"train": SETTINGS["train"] | {"epochs": 1}}
PATIENCE = 300  # seconds, on a busy machine


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "data", classes=["Archery", "Bowling"], videos=5, frames=9)


def start(dataset, output, settings=SETTINGS, **options):
    """Start train.py with its outputs in `output`, in a process group of its own."""
    options = {"threads": 1, "device": "cpu", "code": "test"} | options
    command = [sys.executable, str(PROJECT / "workflow_scripts" / "train.py"), "--settings", json.dumps(settings)]
    command += ["--split-table", str(dataset / "split1.csv"), "--frames", str(dataset / "frames"), "--seed", "1"]
    command += ["--checkpoints", str(output / "checkpoints"), "--history", str(output / "history.csv")]
    command += ["--weights", str(output / "weights.pdparams")]
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(process):
    """Wait for the end; returns what it said."""
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, said
    return said


def wait_for_a_new_checkpoint(process, output, known):
    """Wait until a training has written a checkpoint since it wrote those that are known."""
    deadline = time.monotonic() + PATIENCE
    while checkpoint_times(output) == known and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def end_at_any_moment(process, number, delay):
    """End a training by a signal; a process that is killed says nothing, any other tells what it saved."""
    time.sleep(delay)
    if number == signal.SIGKILL:
        process.kill()
        process.communicate()
        return
    os.killpg(process.pid, number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, said
    # The library of a process that still computes may warn that the first has gone.
    lines = [line for line in said.splitlines() if line and not re.match(r"W\d{4} ", line)]
    assert re.fullmatch(INTERRUPTED, lines[-1]) and "Traceback" not in said, said


@pytest.mark.parametrize(("devices", "epochs"), [(1, 20), (2, 6)])
def test_ended_at_any_moment_and_resumed_with_other_workers_it_gives_the_same_bytes(dataset, tmp_path, devices, epochs):
    train = {"epochs": epochs, "ema_decay": 0.9, "gradient_accumulation_steps": 2, "devices": devices}
    settings = SETTINGS | {"train": SETTINGS["train"] | train}
    table = (dataset / "split1.csv").read_text()
    (dataset / "split1.csv").write_text(re.sub(r"(g05_c01.*),train,", r"\1,validation,", table))
    whole, ended = tmp_path / "whole", tmp_path / "ended"
    said = finish(start(dataset, whole, settings, threads=devices))
    assert re.findall(r"^epoch (\d+): loss", said, flags=re.MULTILINE) == [str(n) for n in range(1, epochs + 1)]
    assert {path.name for path in whole.iterdir()} == {"checkpoints", "history.csv", "weights.json", "weights.pdparams"}

    rng = random.Random(devices)
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        known = checkpoint_times(ended)
        process = start(dataset, ended, settings, threads=2, workers=3)
        wait_for_a_new_checkpoint(process, ended, known)
        end_at_any_moment(process, number, rng.uniform(0, 0.3))
        assert not (ended / "weights.pdparams").exists()
    assert "going on from epoch" in finish(start(dataset, ended, settings, threads=2, workers=1))
    expected = (whole / "weights.pdparams").read_bytes()
    assert (ended / "weights.pdparams").read_bytes() == expected
    assert losses(ended) == losses(whole)
    description = json.loads((ended / "weights.json").read_text())
    assert len(description["attempts"]) == 4
    assert all(0 <= each["seconds"] < PATIENCE and each["device"] == "cpu" for each in description["attempts"])

    assert description["labels"] == ["Archery", "Bowling"]
    assert description["train"]["epochs"] == epochs and description["clip"]["mean"] == [0.485, 0.456, 0.406]
    assert description["resizing"] == "triangle"
    assert {"model", "seed", "data", "code", "commit", "versions", "device"} <= description.keys()
    with (whole / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, epochs + 1)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What a training of one epoch leaves, and the data set."""
    folder = tmp_path_factory.mktemp("trained")
    write_dataset(folder, classes=["Archery", "Bowling"], videos=5, frames=9)
    finish(start(folder, folder / "results", ONE_EPOCH))
    return folder


def test_a_finished_training_is_not_done_again(trained, tmp_path):
    again = shutil.copytree(trained / "results", tmp_path / "again")
    (again / "weights.pdparams").unlink()
    assert "already finished" in finish(start(trained, again, ONE_EPOCH))
    assert (again / "weights.pdparams").read_bytes() == (trained / "results/weights.pdparams").read_bytes()
    with (again / "history.csv").open(newline="") as file:
        assert [row["validation_loss"] for row in csv.DictReader(file)] == [""]


def test_what_it_started_from_is_told_as_it_was_whatever_lies_beside_or_is_put_there_meanwhile(trained, tmp_path):
    first = tmp_path / "first.safetensors"
    save_file(load_any(trained / "results/weights.pdparams")[0], first)
    first.with_suffix(".json").write_text('{"made by": "another program"}')
    expected = {"source": str(first), "sha256": sha256(first)}
    settings = SETTINGS | {"train": SETTINGS["train"] | {"weights": str(first)}}
    process = start(trained, tmp_path / "tuned", settings)
    wait_for_a_new_checkpoint(process, tmp_path / "tuned", known=[])
    first.write_bytes(b"another file")
    finish(process)
    metadata = json.loads((tmp_path / "tuned" / "weights.json").read_text())
    assert metadata["start"] == expected
    assert not metadata["training_data"]["complete"]


INTERRUPTED = (
    r"interrupted: the training is saved as it was before epoch \d+, step \d+, in \S+; "
    "the same command goes on from there"
)


def checkpoint_times(output):
    """When the checkpoint was written, if there is one; it is at the end of every epoch."""
    return [path.stat().st_mtime_ns for path in output.glob("checkpoints/*/checkpoint.npz")]


def losses(output):
    """What history.csv says, times left out."""
    with (output / "history.csv").open(newline="") as file:
        return [[row[name] for name in ("loss", "top1", "validation_loss")] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 64}, "error: train: batch_size: 64 is larger than the data: there are 10 training videos"),
        ({"weights": "none.pdparams"}, "error: train: weights: none.pdparams does not exist"),
    ],
)
def test_errors_are_one_line_and_leave_no_outputs(dataset, tmp_path, given, message):
    split, frames, failed = dataset / "split1.csv", dataset / "frames", tmp_path / "failed"
    result = call(
        *(train.main, "--settings", json.dumps({"train": given}), "--split-table", split, "--frames", frames),
        *("--checkpoints", failed / "checkpoints", "--history", failed / "history.csv"),
        *("--weights", failed / "weights.pdparams", "--code", "test", "--device", "cpu"),
    )
    assert result.returncode == 1
    assert message in result.stderr and "Traceback" not in result.stderr
    assert not list(failed.glob("*.*"))
