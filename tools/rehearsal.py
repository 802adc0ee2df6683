"""Rehearse the workflow on an archive like UCF101's, of any size, and say what each stage costs.

    make rehearsal [VIDEOS=404]

The archive has as many videos, with names like the official ones, of as many of the 101 classes as there are four
videos for. They are copies of a few clips: of --videos, else of clips that are made. The workflow runs in a new folder,
with the default settings for frames, and trains a tiny network on one split; a video needs 4 MB of disk. Prints a table
in Markdown. Fails if a stage does, if a video is lost, or if a finished run is not known to be finished.

CPU seconds are user and system of all processes: they tell more than the wall time where others use the machine, too.
"""

import argparse
import csv
import itertools
import json
import os
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import STDOUT, Popen
from typing import NamedTuple

import psutil

sys.path.append(str(Path(__file__).parents[1] / "bench"))
from extraction import make_clips

from video3d.common.disk import require_space
from video3d.dataset.ucf101 import CLASS_OF_FILE_NAME, CLASSES

SNAKEFILE = Path(__file__).parents[1] / "Snakefile"
VIDEOS_OF_A_CLASS = 4  # at least: one group for the test list of each split, and one to train on
GROUPS = 25
BYTES_PER_VIDEO = 4 << 20
SAMPLING_SECONDS = 0.2

SETTINGS = {
    "run": "rehearsal",
    "device": "cpu",
    "splits": [1],
    "seeds": [1],
    "dataset": {
        "name": "rehearsal", "videos": ["videos.zip"], "videos_sha256": None, "lists": ["lists"], "lists_sha256": None,
    },
    "model": {"depth": 10, "width": 2},
    "clip": {"frames": 4, "size": 16},
    "train": {"batch_size": 4, "epochs": 1, "milestones": []},
    "evaluate": {"allow_leak": True},  # the clips are the same in training and test
}  # fmt: skip

HEADER = """\
| stage | wall, s | CPU, s | Snakemake's CPU, s | share of a core | its memory, MB | largest process, MB |
|---|---|---|---|---|---|---|"""


class Cost(NamedTuple):
    """What a call of Snakemake cost: seconds, and the most memory that a process had, in bytes."""

    wall: float
    cpu: float  # of Snakemake and of all its jobs
    cpu_of_snakemake: float
    memory: int  # of the largest process
    memory_of_snakemake: int


def main() -> None:
    """Run every stage, check what came out, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=404, help="videos in the archive (default: %(default)s)")
    parser.add_argument("--videos", type=Path, help="folder of clips to fill it with: <Class>/<video>.avi")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="default: all (%(default)s)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="rehearsal_", dir=Path.cwd()) as name:
        folder = Path(name)
        print(f"in {folder}, which is removed at the end", file=sys.stderr)
        require_space(folder, arguments.count * BYTES_PER_VIDEO, "the rehearsal")
        classes = make_source(folder, arguments.count, arguments.videos)
        print(f"{arguments.count:,} videos of {classes} classes, {arguments.cores} cores:\n\n{HEADER}", flush=True)
        for stage, cost in rehearse(folder, arguments.cores):
            print(row(stage, cost), flush=True)
        require_every_video(folder, arguments.count)


def make_source(folder: Path, count: int, clips: Path | None) -> int:
    """Write videos.zip, the folder lists/ and the settings to `folder`; return the number of classes."""
    class_names = CLASSES[: count // VIDEOS_OF_A_CLASS]
    if not class_names:
        sys.exit(f"error: {count} videos are too few; expected {VIDEOS_OF_A_CLASS} at least")
    videos = list(itertools.islice(name_videos(class_names), count))
    with tempfile.TemporaryDirectory(dir=folder) as made:
        files = sorted(clips.glob("*/*.avi")) if clips else make_clips(Path(made), 4)
        if not files:
            sys.exit(f"error: there is no <Class>/<video>.avi in {clips}")
        with zipfile.ZipFile(folder / "videos.zip", "w") as archive:
            for (_, _, video), file in zip(videos, itertools.cycle(files)):
                archive.write(file, f"UCF-101/{video}")
    (folder / "lists").mkdir()
    for name, lines in list_files(class_names, videos).items():
        (folder / "lists" / name).write_text("".join(f"{line}\r\n" for line in lines), newline="")
    (folder / "rehearsal.yaml").write_text(
        json.dumps(SETTINGS | {"dataset": SETTINGS["dataset"] | {"classes": class_names}})
    )
    return len(class_names)


def name_videos(class_names: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield label (from 1), group and <Class>/<video>.avi without end: one of each class in turn, one of each group."""
    in_files = {name: of_files for of_files, name in CLASS_OF_FILE_NAME.items()}
    for number in itertools.count(1):
        for group, (label, name) in itertools.product(range(1, GROUPS + 1), enumerate(class_names, 1)):
            yield label, group, f"{name}/v_{in_files.get(name, name)}_g{group:02d}_c{number:02d}.avi"


def list_files(class_names: Sequence[str], videos: Sequence[tuple[int, int, str]]) -> dict[str, list[str]]:
    """Return the lines of the official lists; a quarter of the groups is tested in each split."""
    files = {"classInd.txt": [f"{label} {name}" for label, name in enumerate(class_names, 1)]}
    for split in (1, 2, 3):
        files[f"testlist{split:02d}.txt"] = [video for _, group, video in videos if group % 4 == split]
        files[f"trainlist{split:02d}.txt"] = [
            f"{video} {label}" for label, group, video in videos if group % 4 != split
        ]
    return files


def rehearse(folder: Path, cores: int) -> Iterator[tuple[str, Cost]]:
    """Yield each stage with what it cost, and a dry run before and after each."""
    yield "dry run, nothing there", measure(folder, cores, "--dry-run")
    yield "archive → videos", measure(folder, cores, "--until", "unpack")
    yield "dry run, unpacked", measure(folder, cores, "--dry-run")
    yield "videos → frames, audit", measure(folder, cores, "--until", "audit")
    yield "dry run, extracted", measure(folder, cores, "--dry-run")
    yield "training → report", measure(folder, cores)
    yield "dry run, finished", measure(folder, cores, "--dry-run", ends_with="Nothing to be done")
    yield "call, finished", measure(folder, cores, ends_with="Nothing to be done")


def measure(folder: Path, cores: int, *arguments: str, ends_with: str = "") -> Cost:
    """Call Snakemake in `folder` and return what it cost. Exits with what it printed if it fails."""
    command = ["--snakefile", SNAKEFILE, "--directory", folder, "--configfile", folder / "rehearsal.yaml"]
    command = [sys.executable, "-m", "snakemake", *map(str, command), "--cores", str(cores), *arguments]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = Popen(command, stdout=output, stderr=STDOUT, start_new_session=True)
        try:
            memory_of_snakemake = watch(process.pid)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        wall = time.monotonic() - started
        own = psutil.Process(process.pid).cpu_times()  # it has ended, but its times are there until it is waited for
        _, status, used = os.wait4(process.pid, 0)
        output.seek(0)
        printed = output.read()
    if status or ends_with not in printed:
        sys.exit(f"{printed}\nerror: snakemake {' '.join(arguments)} ended with status {status}, see above")
    cpu = used.ru_utime + used.ru_stime
    return Cost(wall, cpu, own.user + own.system, used.ru_maxrss * 1024, memory_of_snakemake)


def watch(pid: int) -> int:
    """Return the most memory that a process has had, in bytes, when it has ended; it still has to be waited for."""
    most = 0
    while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        most = max(most, psutil.Process(pid).memory_info().rss)
        time.sleep(SAMPLING_SECONDS)
    return most


def require_every_video(folder: Path, count: int) -> None:
    """Exit if not every video was decoded without a fault."""
    with (folder / "results" / SETTINGS["run"] / "audit.csv").open(newline="") as file:
        found = Counter(row["status"] for row in csv.DictReader(file))
    if found["ok"] + found["duplicate"] != count:  # the clips come again and again
        sys.exit(f"error: of {count} videos the audit found {dict(found)}")


def row(stage: str, cost: Cost) -> str:
    """Return a row of the table in Markdown."""
    share = cost.cpu_of_snakemake / cost.wall
    memory = f"{cost.memory_of_snakemake / 1e6:,.0f} | {cost.memory / 1e6:,.0f}"
    return f"| {stage} | {cost.wall:,.1f} | {cost.cpu:,.1f} | {cost.cpu_of_snakemake:,.1f} | {share:.1%} | {memory} |"


if __name__ == "__main__":
    main()
