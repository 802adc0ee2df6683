import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from safetensors.numpy import save_file

from helpers.paths import PROJECT
from helpers.tiny_packs import write_dataset
from video3d.common.files import sha256
from video3d.weights.import_weights import load_any

SETTINGS = {
    "model": {"depth": 10, "width": 4},
    "clip": {"frames": 4, "size": 16},
    "train": {"batch_size": 4, "epochs": 20, "learning_rate": 0.05},
}


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
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    return said


def kill_after_a_checkpoint(process, output):
    """Kill a training as soon as it has written a checkpoint, long before its end."""
    deadline = time.monotonic() + 60
    while not list(output.glob("checkpoints/*/checkpoint.npz")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (output / "weights.pdparams").exists()


def test_killed_and_resumed_with_other_workers_gives_the_same_bytes(dataset, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(dataset, whole, threads=1))
    kill_after_a_checkpoint(start(dataset, killed, threads=2, workers=3), killed)
    assert "going on from epoch" in finish(start(dataset, killed, threads=2, workers=1))
    expected = (whole / "weights.pdparams").read_bytes()
    assert (killed / "weights.pdparams").read_bytes() == expected

    (killed / "weights.pdparams").unlink()
    assert "already finished" in finish(start(dataset, killed))
    assert (killed / "weights.pdparams").read_bytes() == expected

    _, metadata = load_any(whole / "weights.pdparams")
    assert metadata["labels"] == ["Archery", "Bowling"]
    assert metadata["train"]["epochs"] == 20 and metadata["clip"]["mean"] == [0.485, 0.456, 0.406]
    assert metadata["resizing"] == "triangle"
    assert {"model", "seed", "data", "code", "commit", "versions", "device"} <= metadata.keys()
    with (whole / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, 21)] and rows[0]["validation_loss"] == ""


def test_two_processes_write_one_set_of_outputs_and_go_on_after_a_kill(dataset, tmp_path):
    settings = SETTINGS | {"train": SETTINGS["train"] | {"devices": 2, "epochs": 8}}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(dataset, whole, settings, threads=2))
    assert {path.name for path in whole.iterdir()} == {"checkpoints", "history.csv", "weights.json", "weights.pdparams"}
    kill_after_a_checkpoint(start(dataset, killed, settings, threads=2), killed)
    assert "going on from epoch" in finish(start(dataset, killed, settings, threads=2))
    assert (killed / "weights.pdparams").read_bytes() == (whole / "weights.pdparams").read_bytes()


@pytest.mark.parametrize(("devices", "epochs"), [(1, 20), (2, 6)])
def test_told_to_end_at_any_moment_it_saves_and_goes_on_to_the_same_bytes(dataset, tmp_path, devices, epochs):
    train = {"epochs": epochs, "ema_decay": 0.9, "gradient_accumulation_steps": 2, "devices": devices}
    settings = SETTINGS | {"train": SETTINGS["train"] | train}
    table = (dataset / "split1.csv").read_text()
    (dataset / "split1.csv").write_text(re.sub(r"(g05_c01.*),train,", r"\1,validation,", table))
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    finish(start(dataset, whole, settings, threads=2))
    rng = random.Random(devices)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        known = checkpoint_times(interrupted)
        process = start(dataset, interrupted, settings, threads=2)
        deadline = time.monotonic() + 60
        while checkpoint_times(interrupted) == known and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.3))
        os.killpg(process.pid, number)
        said = process.communicate(timeout=10)[1]
        assert process.returncode == 128 + number, said
        assert re.fullmatch(INTERRUPTED, said.splitlines()[-1]) and "Traceback" not in said, said
        assert not (interrupted / "weights.pdparams").exists()
    assert "going on from epoch" in finish(start(dataset, interrupted, settings, threads=2))
    assert (interrupted / "weights.pdparams").read_bytes() == (whole / "weights.pdparams").read_bytes()
    assert losses(interrupted) == losses(whole)
    attempts = json.loads((interrupted / "weights.json").read_text())["attempts"]
    assert len(attempts) == 4 and all(0 < each["seconds"] < 60 and each["device"] == "cpu" for each in attempts)


def test_what_it_started_from_is_told_as_it_was_whatever_lies_beside_or_is_put_there_meanwhile(dataset, tmp_path):
    first = tmp_path / "first.safetensors"
    finish(start(dataset, tmp_path / "whole", SETTINGS | {"train": SETTINGS["train"] | {"epochs": 1}}))
    save_file(load_any(tmp_path / "whole" / "weights.pdparams")[0], first)
    first.with_suffix(".json").write_text('{"made by": "another program"}')
    expected = {"source": str(first), "sha256": sha256(first)}
    settings = SETTINGS | {"train": SETTINGS["train"] | {"weights": str(first)}}
    process = start(dataset, tmp_path / "tuned", settings)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("tuned/checkpoints/*/checkpoint.npz")) and time.monotonic() < deadline:
        time.sleep(0.005)
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
    ("train", "message"),
    [
        ({"batch_size": 64}, "error: train: batch_size: 64 is larger than the data: there are 10 training videos"),
        ({"weights": "none.pdparams"}, "error: train: weights: none.pdparams does not exist"),
    ],
)
def test_errors_are_one_line_and_leave_no_outputs(dataset, tmp_path, train, message):
    process = start(dataset, tmp_path / "failed", {"train": train})
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert message in said and "Traceback" not in said
    assert not list((tmp_path / "failed").glob("*.*"))
