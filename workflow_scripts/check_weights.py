"""Look at weights before they are used: do they fit, and have they seen the test videos?

In: weights, the split table that they are to be evaluated on, the folder of the frames' manifests. Out: a JSON file
that says where the weights come from, and which test videos they were trained on. It is made before anything that the
weights will replace is touched, so weights that are refused leave everything as it was.
"""

import argparse
import logging
import sys
from pathlib import Path


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="weights: .pdparams, .pth or .safetensors")
    parser.add_argument("--split-table", type=Path, required=True, help="split table, as written by make_splits.py")
    parser.add_argument("--frames", type=Path, required=True, help="folder with the manifests, <Class>.csv")
    parser.add_argument("--settings", default="{}", help="YAML text or file; sections model, clip, train, evaluate")
    parser.add_argument("--given", action="store_true", help="a setting gave them to be evaluated")
    parser.add_argument("--replacement", default="", help="text to keep: what told that they replaced others")
    parser.add_argument("--output", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

from video3d.common.console import run
from video3d.common.documents import sealed
from video3d.common.files import atomic_path, file_state, sha256
from video3d.common.printable import printable
from video3d.common.settings import read_settings
from video3d.dataset.split_table import class_names, read_split
from video3d.evaluation.model_description import describe_model
from video3d.weights.import_weights import load_any
from video3d.weights.training_data import find_overlap, require_unseen


def name_origin(weights: Path, given: bool, known: dict) -> str:
    """Return where the weights come from.

    given: by a setting. trained: by the training whose history lies beside. replaced: put in the place of those.

    `known` are the metadata of `load_any`: the description beside the weights if it is of this very file.
    """
    if given:
        return "given"
    history = weights.with_name("history.csv")
    here = history.is_file() and known.get("history_sha256") == sha256(history)
    return "trained" if here and weights.parent.name == f"seed{known['seed']}" else "replaced"


def main() -> None:
    """Read the weights, check them, write what is known."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings)
    state = file_state(arguments.weights) if arguments.weights.is_file() else None
    _, known = load_any(arguments.weights)
    split = read_split(arguments.split_table)
    describe_model(arguments.weights, known, settings, class_names(split))
    found = find_overlap(known.get("training_data"), split, arguments.frames)
    if not settings.evaluate.allow_leak:
        require_unseen(found, str(arguments.weights), str(arguments.split_table))
    if found.known is None:
        logging.warning("%s do not tell what they were trained on: nobody knows whether the test is a fair one",
                        arguments.weights)  # fmt: skip
    origin = {
        "origin": name_origin(arguments.weights, arguments.given, known),
        "source": printable(str(arguments.weights)),
        "sha256": known["sha256"],
        "made_by": known["source"],
        "classes_named": bool(known.get("labels")),
        **found.counts(),
        "videos_trained_on": found.videos,
        "groups_trained_on": found.groups,
        "start": known.get("start"),
        "file_state": state,
        "replacement": arguments.replacement,
    }
    with atomic_path(arguments.output) as path:
        path.write_text(sealed(origin), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(main))
