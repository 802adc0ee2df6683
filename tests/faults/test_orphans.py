"""When Snakemake alone is killed or told to end, its jobs end and mix nothing with what comes next."""

import os
import signal
import subprocess
import time
import zipfile

import cv2
import numpy as np
import psutil
import pytest

from helpers.tiny_project import video_name, write_video

WEIGHTS = "results/tiny/split1/seed7/weights.pdparams"
LONG = ("--config", "train={epochs: 2000, milestones: [1000]}", "--", WEIGHTS)
TRAINING_LOG = "logs/train/tiny/split1_seed7.log"
SECONDS_TO_END = 30  # of a busy machine; a second or two else


def wait_for(condition, process, seconds=180):
    """Wait until the condition holds; return what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline and (process is None or process.poll() is None)
        time.sleep(0.02)
    return found


def start(workflow, *arguments):
    return subprocess.Popen(
        ["env", "--default-signal=INT,HUP", *workflow.command(*arguments)],  # nohup and & have them ignored
        cwd=workflow.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def jobs_of(process):
    """The scripts that Snakemake runs now, and their children."""
    family = psutil.Process(process.pid).children(recursive=True)
    return [member for member in family if member.name() not in {"bash", "tee"}]


def lives(process):
    """Whether a process has not ended."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def frames_of(pack):
    """Height and width of the frames in a pack."""
    with zipfile.ZipFile(pack) as archive:
        names = archive.namelist()
        pictures = {name: cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), 1) for name in names}
    return {picture.shape[:2] for picture in pictures.values()}


def write_videos(workflow, frames, size):
    """Replace the videos of a class."""
    for group in range(1, 5):
        name = f"{video_name('Retreat', group)}.avi"
        write_video(workflow.folder / "data/tiny/videos/Retreat" / name, group, frames, size)


def test_an_orphaned_extraction_ends_and_the_next_waits_for_it(fresh):
    """Frames of the old videos are wider than those of the new ones, so that it shows whether they mix."""
    pack = fresh.folder / "data/tiny/frames/24px_q80/Retreat.zip"
    call = ("--", "data/tiny/frames/24px_q80/Retreat.csv")
    fresh.run("--", "resources/tiny/ucfTrainTestlist", "data/tiny/videos/.unpacked/dca68102.csv")
    write_videos(fresh, frames=600, size=(320, 240))
    first = start(fresh, *call)
    wait_for(lambda: any(part.stat().st_size for part in pack.parent.glob(".*.part/*.zip")), first)
    orphans = jobs_of(first)
    (extraction,) = [job for job in orphans if "extract_frames.py" in " ".join(job.cmdline())]
    extraction.suspend()
    first.kill()
    first.wait()
    write_videos(fresh, frames=20, size=(24, 24))
    second = start(fresh, *call)
    log = fresh.folder / "logs/extract_frames/tiny/Retreat.log"
    wait_for(lambda: log.exists() and "waiting for another process" in log.read_text(), second)
    extraction.resume()
    text = second.communicate(timeout=120)[0]
    assert second.returncode == 0, text
    assert not any(map(lives, orphans))
    assert frames_of(pack) == {(24, 24)}
    assert [path.name for path in pack.parent.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.faults),
        pytest.param(signal.SIGKILL, marks=pytest.mark.faults),
        pytest.param(signal.SIGHUP, marks=pytest.mark.faults),
    ],
    ids=lambda number: number.name,
)
def test_a_training_is_saved_and_ends_when_snakemake_alone_is_signalled(finished, number):
    (finished.folder / WEIGHTS).unlink()
    process = start(finished, *("--config", "replace=true", *LONG[1:]))
    log = finished.folder / TRAINING_LOG
    wait_for(lambda: log.exists() and "epoch 3" in log.read_text(), process)
    jobs = jobs_of(process)
    os.kill(process.pid, number)
    wait_for(lambda: not any(map(lives, jobs)), None, SECONDS_TO_END)
    text = process.communicate(timeout=SECONDS_TO_END)[0]
    assert process.returncode != 0 and "Traceback" not in text
    assert log.read_text().splitlines()[-1].startswith("interrupted: the training is saved as it was before epoch")
    if number in (signal.SIGTERM, signal.SIGINT):
        assert text.splitlines()[-1].startswith("interrupted in train (split 1, seed 7): the training is saved")
