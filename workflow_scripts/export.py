"""Turn weights into a model for inference: a folder that is all that evaluation and prediction need.

In: weights, with their description (.json) beside them if they were trained here; settings fill in what no description
says. Out: model.json and model.pdiparams, a program that takes uint8 RGB clips, with the normalisation inside, and
metadata.json: class names, what a clip is, how frames are stored and resized, which protocol fits, where the weights
come from.
"""

import argparse
import logging
import sys
from pathlib import Path


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="weights: .pdparams, .pth or .safetensors")
    parser.add_argument("--settings", default="{}", help="YAML text or file; sections model, clip, frames, train")
    names = parser.add_mutually_exclusive_group()
    names.add_argument("--split-table", type=Path, help="split table whose classes the model must have")
    names.add_argument("--classes", nargs="*", default=[], help="class names in the order of their labels")
    parser.add_argument("--origin", type=Path, help="what check_weights.py wrote about the weights")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.dataset.split_table import class_names, read_split
from video3d.evaluation.exported_model import export_model
from video3d.evaluation.model_description import describe_model
from video3d.evaluation.model_metadata import read_origin
from video3d.model.resnet3d import build_network
from video3d.weights.import_weights import load_any
from video3d.weights.pdparams import apply_weights


def origin_of(checksum: str, path: Path) -> dict:
    """Return what check_weights.py found out about the weights. Raises UserError if that was about other weights."""
    origin = read_origin(path)
    if origin["sha256"] != checksum:
        raise UserError(f"{path} is about other weights; run check_weights.py on these")
    return origin


def main() -> None:
    """Read the weights, build their network, write the folder."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings)
    tensors, known = load_any(arguments.weights)
    expected = class_names(read_split(arguments.split_table)) if arguments.split_table else arguments.classes
    metadata = describe_model(arguments.weights, known, settings, expected)
    if arguments.origin:
        metadata["weights"] = origin_of(metadata["weights"]["sha256"], arguments.origin)
    network = build_network(metadata["model"], len(metadata["labels"]))
    apply_weights(network, tensors, source=arguments.weights)
    with atomic_path(arguments.output) as folder:
        folder.mkdir()
        export_model(network, metadata, folder)
    logging.info("exported %s (%d classes) to %s", arguments.weights, len(metadata["labels"]), arguments.output)


if __name__ == "__main__":
    sys.exit(run(main))
