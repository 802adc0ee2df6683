"""A copy of the project with a tiny data set, in which the tests run the real workflow."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from helpers.paths import PROJECT
from helpers.prepared_python import run_snakemake

PARTS = ["Snakefile", "config.yaml", "rules", "workflow_scripts", "schemas", "report", "profiles", "recipes", "envs"]
CLASSES = ["Approach", "HandstandPushups", "Retreat"]
GROUPS = range(1, 5)  # groups 1, 2, 3 are the test groups of splits 1, 2, 3

CONFIG = """
run: tiny
device: cpu
splits: [1, 2]
seeds: [7]
dataset:
  name: tiny
  videos: [source/videos.zip]
  videos_sha256: null
  lists: [source/lists.zip]
  lists_sha256: null
  classes: [Approach, HandstandPushups, Retreat]
frames: {short_side: 24, quality: 80}
model: {depth: 10, width: 2}
clip: {frames: 4, size: 16}
train: {batch_size: 3, epochs: 2, milestones: [2]}
evaluate: {batch_size: 4}
"""


class Workflow:
    """One copy of the project, and what Snakemake does in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        """The command line of Snakemake on the tiny data set, for a process of its own."""
        return [sys.executable, "-m", "snakemake", *self._arguments(*arguments)]

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run Snakemake, with everything that it prints in `.stdout`."""
        return run_snakemake(self.folder, self._arguments(*arguments))

    def _arguments(self, *arguments: str) -> list[str]:
        return ["--configfile", "tiny.yaml", "--cores", "2", *arguments]

    def run(self, *arguments: str) -> str:
        """Run Snakemake, which must succeed; return what it printed."""
        result = self.snakemake(*arguments)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def fail(self, *arguments: str) -> str:
        """Run Snakemake, which must fail; return what it printed."""
        result = self.snakemake(*arguments)
        assert result.returncode != 0, result.stdout
        return result.stdout

    def would_run(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a dry run lists, the target rule `all` left out."""
        return dict(Counter(job["rule"] for job in self.jobs(*arguments) if job["rule"] != "all"))

    def jobs(self, *arguments: str) -> list[dict[str, str]]:
        """The jobs that a dry run lists, each with its rule, wildcards and reason."""
        text = self.run("--dry-run", *arguments)
        found = []
        for block in re.split(r"\n(?=(?:local)?(?:rule|checkpoint) \w+:)", text)[1:]:
            job = {"rule": re.match(r"(?:local)?(?:rule|checkpoint) (\w+):", block).group(1)}
            job |= dict(re.findall(r"^    (wildcards|reason): (.*)$", block, flags=re.MULTILINE))
            found.append(job)
        return found

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a piece of text, which must be there, in a file of the copy."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))


def write_video(path: Path, seed: int, frames: int = 20, size: tuple[int, int] = (32, 24)) -> None:
    """A short XviD clip of moving noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"XVID"), 25, size)
    assert writer.isOpened()
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    for index in range(frames):
        writer.write(np.roll(picture, index, axis=1))
    writer.release()


def video_name(name: str, group: int, clip: int = 1) -> str:
    """The name of a video as UCF101 writes it, with its one inconsistency."""
    return f"v_{name.replace('Handstand', 'HandStand')}_g{group:02}_c{clip:02}"


def write_lists(path: Path) -> None:
    """A ZIP of train and test lists in the official format, CRLF and all."""
    texts = {"classInd.txt": [f"{label} {name}" for label, name in enumerate(CLASSES, 1)]}
    for split in (1, 2, 3):
        test, train = [], []
        for label, name in enumerate(CLASSES, 1):
            for group in GROUPS:
                listed = f"{name}/{video_name(name, group)}.avi"
                if group == split:
                    test.append(listed)
                else:
                    train.append(f"{listed} {label}")
        texts[f"testlist0{split}.txt"] = test
        texts[f"trainlist0{split}.txt"] = train
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in texts.items():
            archive.writestr(f"ucfTrainTestlist/{name}", "".join(f"{line}\r\n" for line in lines))


def copy_project(folder: Path) -> None:
    """Copy the project's own files to a new folder, with the settings and the archives of the tiny data set."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)  # with what Python has compiled, which a dry run does not keep
        else:
            shutil.copy2(source, folder / part)
    (folder / "tiny.yaml").write_text(CONFIG)
    make_source(folder / "source")


def make_source(folder: Path) -> None:
    """Archives of the tiny data set in the shape of UCF101's."""
    names = [(name, group) for name in CLASSES for group in GROUPS]
    for seed, (name, group) in enumerate(names):
        write_video(folder / "avi" / f"{video_name(name, group)}.avi", seed)
    with zipfile.ZipFile(folder / "videos.zip", "w") as archive:
        for file in sorted((folder / "avi").iterdir()):
            archive.write(file, f"UCF101/{file.name}")
    shutil.rmtree(folder / "avi")
    write_lists(folder / "lists.zip")
