"""Look at weights before they are used: do they fit, and have they seen the test videos?

In: weights, the split table that they are to be evaluated on (or trained for, with --start), the folder of the frames'
manifests. Out: a JSON file that says where the weights come from, and which test videos they were trained on. It is
made before anything that the weights will replace is touched, so weights that are refused leave everything as it was.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from video3d.config import settings_argument
from video3d.console import run
from video3d.convert import check_settings, load_any
from video3d.data import class_names, manifest_column, read_split
from video3d.files import atomic_path
from video3d.model_description import describe_model
from video3d.training_data import Overlap, overlap, require_unseen

ALLOW = "To go on all the same, and have it said in every result: evaluate: {allow_leak: true}."


def find_overlap(known: dict, clips: Path, frames: Path) -> Overlap:
    """What the test videos of a split table share with the training data of weights with the metadata `known`."""
    tested = [video for video in read_split(clips) if video.subset == "test"]
    return overlap(known.get("training_data"), tested, manifest_column(frames, tested, "source"))


def check_fit(arguments: argparse.Namespace, known: dict, settings: dict) -> None:
    """Raise UserError unless the weights are of the network that they are used for."""
    if arguments.start:
        check_settings(arguments.weights, known, settings["model"], settings["clip"])
    else:
        describe_model(arguments.weights, known, settings, class_names(read_split(arguments.clips)))


def origin_of(arguments: argparse.Namespace, known: dict) -> str:
    """given: by a setting; trained: as the description beside it says; replaced: it describes other weights."""
    if arguments.given or arguments.start:
        return "given"
    return "trained" if "labels" in known else "replaced"


def main() -> None:
    """Read the weights, judge them, write what is known."""
    arguments = parse_arguments()
    settings = settings_argument(arguments.settings)
    _, known = load_any(arguments.weights)
    check_fit(arguments, known, settings)
    found = find_overlap(known, arguments.clips, arguments.frames)
    if not settings["evaluate"]["allow_leak"]:
        require_unseen(found, str(arguments.weights), str(arguments.clips), ALLOW)
    if found.known is None:
        logging.warning("%s do not tell what they were trained on: nobody knows whether the test is a fair one",
                        arguments.weights)  # fmt: skip
    origin = {
        "origin": origin_of(arguments, known),
        "source": str(arguments.weights),
        "sha256": known["sha256"],
        "made_by": known["source"],
        **found.summary(),
        "videos_trained_on": found.videos,
        "start": known.get("start"),
    }
    with atomic_path(arguments.output) as path:
        path.write_text(json.dumps(origin, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="weights: .pdparams, .pth or .safetensors")
    parser.add_argument("--clips", type=Path, required=True, help="split table, as written by make_splits.py")
    parser.add_argument("--frames", type=Path, required=True, help="folder with the manifests, <Class>.csv")
    parser.add_argument("--settings", default="{}", help="YAML text or file; sections model, clip, train, evaluate")
    purpose = parser.add_mutually_exclusive_group()
    purpose.add_argument("--given", action="store_true", help="they are evaluated instead of trained ones")
    purpose.add_argument("--start", action="store_true", help="a training will start from them")
    parser.add_argument("--output", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
