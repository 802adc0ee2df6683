"""Accuracy by the pictures that a network is trained and tested on: many small trainings, paired by split and seed.

A way to make pictures is `<short side>:<JPEG quality>:<resizing>`: how frames are stored, and how crops of them are
resized: `pillow` (Pillow's bilinear, as the reference implementation), `triangle` (this project's), `first` (that of
its version 0.1). Every way trains on every split with every seed, which stand for the same initial weights, order,
frames, crops and mirroring; so ways are compared seed by seed. The test videos are seen once, by the protocol
`segments`, with the weights of the last epoch.

Every finished training is a row of the CSV, and what is in it is not computed again: a call that was ended goes on, and
more seeds or ways can be added. The summary is over the seeds that every way has on every split: the mean of the splits
for each seed, its mean over the seeds, and that of the differences between two ways, with 95 % bootstrap intervals over
seeds. The intervals are about these videos: they say what other random numbers would give, not other videos.

    python bench/outcome.py --data <folder with UCF-101/ and ucfTrainTestlist/> --output outcome.csv [--seeds 20]
"""

import argparse
import csv
import itertools
import logging
import multiprocessing
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
from extract_frames import extract_class, list_videos
from video3d.clips import spatial_crops
from video3d.clips.clip_reader import open_packs
from video3d.common.settings import resolve
from video3d.compute.device import use_device
from video3d.dataset.split_table import Video
from video3d.dataset.splits import make_split
from video3d.dataset.ucf101 import read_class_index, read_official_split
from video3d.training import loop
from video3d.training.batches import BatchSource, TrainingData
from video3d.training.checkpoint import Checkpoint
from video3d.training.loop import Machine
from video3d.training.trainer import Trainer

import numpy as np  # isort: skip  after video3d, which sets the environment
from PIL import Image

WAYS = ["240:95:pillow", "170:85:first", "240:85:triangle"]
FRAMES, DEPTH, BATCH = 4, 10, 9  # small, as it is the number of trainings that tells
SPLITS = (1, 2, 3)
FIRST_SEED = 10001
REPLICATES = 10_000


class Training(NamedTuple):
    """One training, by what tells it from the others."""

    way: str
    size: int
    width: int
    epochs: int
    split: int
    seed: int


class Outcome(NamedTuple):
    """What came of it: test videos, those that were named right, their mean cross-entropy, and the seconds it took."""

    videos: int
    correct: int
    loss: float
    seconds: float


def pillow_resizer(width: int, height: int, size: int) -> Callable[[np.ndarray, np.ndarray], None]:
    """Resize as the reference implementation does."""

    def resize(crop: np.ndarray, out: np.ndarray) -> None:
        out[:] = np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BILINEAR))

    return resize


RESIZERS = {
    "pillow": pillow_resizer,
    "triangle": spatial_crops.triangle_resizer,
    "first": spatial_crops.RESIZERS[spatial_crops.FIRST_RESIZING],
}


def extract(data: Path, frames: Path, way: str) -> None:
    """Make the packs of a way, unless they are there."""
    short_side, quality, _ = way.split(":")
    folder = frames / f"{short_side}_{quality}"
    for name in read_class_index(data / "ucfTrainTestlist"):
        if (data / "UCF-101" / name).is_dir() and not (folder / f"{name}.csv").is_file():
            videos = list_videos(data / "UCF-101" / name)
            extract_class(videos, int(short_side), int(quality), 1, folder / f"{name}.zip", folder / f"{name}.csv")


def split_videos(lists: Path, frames: Path, split: int) -> tuple[list[str], list[Video], list[Video]]:
    """Classes, training and test videos of a split, as far as there are frames of them."""
    counts = {path.stem: None for path in frames.glob("*.zip")}
    classes = [name for name in read_class_index(lists) if name in counts]
    rows = make_split(*read_official_split(lists, split), classes, [])
    found = {}
    for name in classes:
        with (frames / f"{name}.csv").open(newline="") as file:
            found |= {row["video"]: int(row["frames"]) for row in csv.DictReader(file)}
    videos = [row._replace(frames=found[row.name]) for row in rows if row.name in found]
    return classes, *([video for video in videos if video.subset == subset] for subset in ("train", "test"))


def run(task: Training, data: Path, frames: Path) -> Outcome:
    """Train once and look at the test videos."""
    start = time.perf_counter()
    logging.disable(logging.INFO)
    use_device("cpu", 1)
    short_side, quality, resizing = task.way.split(":")
    spatial_crops.RESIZERS[spatial_crops.RESIZING] = RESIZERS[resizing]
    folder = frames / f"{short_side}_{quality}"
    classes, train, test = split_videos(data / "ucfTrainTestlist", folder, task.split)
    settings = resolve(
        {
            "model": {"depth": DEPTH, "width": task.width},
            "clip": {"frames": FRAMES, "size": task.size},
            "train": {"batch_size": BATCH, "epochs": task.epochs, "schedule": "cosine", "learning_rate": 0.02},
        }
    )
    packs = open_packs(folder, train + test)
    with tempfile.TemporaryDirectory() as checkpoints:
        data = TrainingData(classes, train, [], packs)
        network, _ = loop.train(settings, data, task.seed, Checkpoint(Path(checkpoints), "outcome"), Machine())
    batches = BatchSource(data._replace(validation=test), settings.clip, settings.train, task.seed, workers=1)
    shown = loop.validate(Trainer(network, settings.clip, settings.train), batches)
    correct = round(shown["validation_top1"] * len(test))
    return Outcome(len(test), correct, shown["validation_loss"], time.perf_counter() - start)


def missing(path: Path, tasks: Sequence[Training]) -> list[Training]:
    """The trainings that the CSV has not; it is begun if it is not there."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(",".join(Training._fields + Outcome._fields) + "\n")
    done = {task for task, _ in read(path)}
    return [task for task in tasks if task not in done]


def read(path: Path) -> Iterator[tuple[Training, Outcome]]:
    """The rows of the CSV."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            task = Training(row["way"], *(int(row[name]) for name in Training._fields[1:]))
            yield task, Outcome(int(row["videos"]), int(row["correct"]), float(row["loss"]), float(row["seconds"]))


def by_seed(path: Path, tasks: Sequence[Training], value: Callable[[Outcome], float]) -> dict[str, np.ndarray]:
    """For each way the mean of the splits, seed by seed, of the seeds that every way has in full."""
    outcomes = dict(read(path))
    seeds: dict[int, list[Training]] = defaultdict(list)
    for task in tasks:
        seeds[task.seed].append(task)
    whole = [some for some in seeds.values() if all(task in outcomes for task in some)]
    ways = dict.fromkeys(task.way for task in tasks)
    return {
        way: np.array([np.mean([value(outcomes[task]) for task in some if task.way == way]) for some in whole])
        for way in ways
    }


def interval(values: np.ndarray) -> str:
    """The mean with its 95 % percentile bootstrap interval over seeds."""
    draws = np.random.default_rng(0).integers(0, len(values), (REPLICATES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    unsure = "" if low > 0 or high < 0 else "  cannot tell"
    return f"{values.mean():+8.3f} [{low:+.3f}, {high:+.3f}]{unsure}"


def summarise(path: Path, tasks: Sequence[Training]) -> None:
    """Print the means and the differences."""
    measures = {
        "top-1 in %": lambda outcome: 100 * outcome.correct / outcome.videos,
        "cross-entropy": lambda outcome: outcome.loss,
    }
    for name, value in measures.items():
        ways = by_seed(path, tasks, value)
        seeds = min(map(len, ways.values()))
        print(f"\n{name} of the test videos: {seeds} seeds × {len(SPLITS)} splits")
        if seeds:
            for way, values in ways.items():
                spread = values.std(ddof=1) if seeds > 1 else 0
                print(f"{way:18} {values.mean():8.3f}  standard deviation over seeds {spread:.3f}")
            for one, other in itertools.combinations(ways, 2):
                print(f"{other:18} minus {one:18} {interval(ways[other] - ways[one])}")


def main() -> None:
    """Parse the arguments, extract, train what is missing, summarise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with UCF-101/ and ucfTrainTestlist/")
    parser.add_argument("--output", type=Path, required=True, help="CSV of the outcomes; the frames lie beside it")
    parser.add_argument("--ways", nargs="+", default=WAYS, help="<short side>:<quality>:<resizing> …")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds (default: %(default)s)")
    parser.add_argument("--size", type=int, default=56, help="clip: size (default: %(default)s)")
    parser.add_argument("--width", type=int, default=16, help="model: width (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=15, help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time, one thread each (default: 2)")
    arguments = parser.parse_args()
    tasks = [
        Training(way, arguments.size, arguments.width, arguments.epochs, split, FIRST_SEED + number)
        for number in range(arguments.seeds)
        for split in SPLITS
        for way in arguments.ways
    ]
    frames = arguments.output.with_suffix(".frames")
    for way in arguments.ways:
        extract(arguments.data, frames, way)
    with ProcessPoolExecutor(arguments.workers, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(run, task, arguments.data, frames): task for task in missing(arguments.output, tasks)}
        for future in as_completed(running):
            with arguments.output.open("a", newline="") as file:
                csv.writer(file).writerow(running[future] + future.result())
    summarise(arguments.output, tasks)


if __name__ == "__main__":
    main()
