"""Train the network on the training videos of one split.

In: a split table, the frame packs with their manifests, settings, a seed. Out: weights (.pdparams), their description
beside them (.json: classes, normalisation, architecture, recipe, data, versions, commit, time of every attempt), and
the history (.csv, a row per epoch). Checkpoints are kept in a folder of their own, which also holds the finished state:
called again with equal data, settings, seed and code, it writes equal outputs within seconds. Ctrl-C and SIGTERM end it
at once, after a checkpoint.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", default="{}", help="YAML or JSON text, or a file: sections model, clip, train")
    parser.add_argument("--split-table", type=Path, required=True, help="split table, as written by make_splits.py")
    parser.add_argument("--frames", type=Path, required=True, help="folder with <Class>.zip and <Class>.csv")
    parser.add_argument("--seed", type=int, default=10001, help="of all random draws")
    parser.add_argument("--device", choices=["auto", "gpu", "cpu"], default="auto")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of Paddle, and of the loader")
    parser.add_argument("--workers", type=int, help="threads of the loader if not as many as --threads")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the state of unfinished trainings")
    parser.add_argument("--code", help="version of the code; computed if left out")
    parser.add_argument("--record", default="{}", help="JSON: more settings that the description of the weights keeps")
    parser.add_argument("--allow-leak", action="store_true", help="start from weights that know the test videos, too")
    parser.add_argument("--trainings", type=Path, nargs="*", default=[], help="weights of all trainings of the run")
    parser.add_argument("--weights", type=Path, required=True, help="output: weights, .pdparams")
    parser.add_argument("--history", type=Path, required=True, help="output: .csv with a row per epoch")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

from video3d.clips.clip_reader import open_packs
from video3d.clips.spatial_crops import RESIZING
from video3d.common.code_version import code_version
from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.settings import Settings, as_argument, read_settings, select
from video3d.common.tables import write_table
from video3d.common.versions import git_commit, package_versions
from video3d.compute.device import use_device
from video3d.compute.distributed import ProcessGroup, run_in_group
from video3d.dataset.split_table import Video, class_names, read_split
from video3d.frames.manifests import content_hash, manifest_column
from video3d.training import loop
from video3d.training.attempts import read_attempts
from video3d.training.batches import TrainingData
from video3d.training.checkpoint import Checkpoint
from video3d.training.checkpoint_lock import hold_checkpoints
from video3d.training.loop import Machine
from video3d.weights import training_data
from video3d.weights.import_weights import load_any
from video3d.weights.pdparams import save_weights

SECTIONS = ("model", "clip", "train")


def main() -> None:
    """Train and write the outputs, the weights last."""
    options = parse_arguments()
    settings = read_settings(options.settings)
    weights, devices = settings.train.weights, settings.train.devices
    if weights and not Path(weights).is_file():
        raise UserError(f"train: weights: {weights} does not exist")
    hold_checkpoints(options.checkpoints)  # before a GPU is taken, so that none idles meanwhile
    device = use_device(options.device, options.threads, devices)
    run_in_group(devices, device, train, options, settings, device)


def train(group: ProcessGroup, options: argparse.Namespace, settings: Settings, device: str) -> None:
    """Do the part of one process: train, and if it is the first one, write the outputs."""
    split = read_split(options.split_table)
    videos = [video for video in split if video.subset != "test"]
    weights = settings.train.weights
    start = known_weights(weights) if weights else None
    if start and not options.allow_leak:
        found = training_data.find_overlap(start.get("training_data"), split, options.frames)
        training_data.require_unseen(found, weights, str(options.split_table))
    facts = {
        "labels": class_names(split),
        **select(settings, *SECTIONS),
        "resizing": RESIZING,
        "seed": options.seed,
        "data": content_hash(options.frames, videos),
        "code": options.code or code_version(Path(__file__)),
    }
    key = hashlib.sha256(as_argument(facts | {"start": start}).encode()).hexdigest()[:16]
    data = TrainingData(
        class_names=facts["labels"],
        training=[video for video in videos if video.subset == "train"],
        validation=[video for video in videos if video.subset == "validation"],
        packs=open_packs(options.frames, videos),
    )
    checkpoint = Checkpoint(options.checkpoints / key, key)
    machine = Machine(
        device=device,
        threads=max(1, options.threads // group.size),
        workers=max(1, (options.workers or options.threads) // group.size),
        group=group,
        software={"commit": git_commit(), "versions": package_versions("paddle"), "device": device},
        trainings=options.trainings,
    )
    network, state = loop.train(settings, data, options.seed, checkpoint, machine)
    if group.rank == 0:
        write_history(options.history, state.history)
        attempts = {"attempts": read_attempts(checkpoint.folder)}
        save_weights(options.weights, network, facts | state.software | attempts | origin(options, videos, start))


def origin(options: argparse.Namespace, videos: Sequence[Video], start: dict | None) -> dict:
    """Return what the description of the weights says beside the facts that the training depends on."""
    sources = manifest_column(options.frames, videos, "source")
    return json.loads(options.record) | {
        "history_sha256": sha256(options.history),
        "start": {name: start[name] for name in ("source", "sha256")} if start else None,
        "training_data": training_data.record_training_data(videos, sources, start),
    }


def known_weights(weights: str) -> dict:
    """Return what is known about the weights to start from, as `load_any` has it, with their path as `source`.

    It is read before the training, as the file may be replaced while that goes on.
    """
    return load_any(weights)[1] | {"source": weights}


def write_history(path: Path, history: list[dict]) -> None:
    """Write history.csv, numbers to six digits."""
    rows = [[f"{value:.6g}" if isinstance(value, float) else value for value in row.values()] for row in history]
    write_table(path, list(history[0]), rows)


if __name__ == "__main__":
    sys.exit(run(main))
