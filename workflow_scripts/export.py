"""Turn weights into a model for inference: a folder that is all that evaluation and prediction need.

In: weights, with their description (.json) beside them if they were trained here; settings fill in what no description
says. Out: model.json and model.pdiparams, a program that takes uint8 RGB clips, with the normalisation inside, and
metadata.json: class names, what a clip is, how frames are stored, which protocol fits, where the weights come from.
"""

import argparse
import logging
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import paddle

from video3d.config import settings_argument
from video3d.console import UserError, run
from video3d.files import atomic_path, sha256
from video3d.inference import export
from video3d.resnet3d import build_network
from video3d.weights import apply_weights, load_weights

PROTOCOL_OF_SAMPLING = {"segments": "segments", "consecutive": "sliding"}


def describe(weights: Path, known: dict, settings: dict, classes: Sequence[str]) -> dict:
    """The metadata of the exported model: what is known about the weights, completed by the settings.

    Raises UserError if the weights were trained for other classes than `classes`, or for the same in another order.
    """
    labels = known.get("labels") or list(classes)
    if classes and labels != list(classes):
        raise UserError(f"{weights} were trained for other classes: {difference(labels, classes)}")
    for section in ("model", "clip"):
        if section in known and known[section] != settings[section]:
            logging.info(
                "%s: as in the description of the weights, not as in the settings: %s", section, known[section]
            )
    sampling = known.get("train", settings["train"])["sampling"]
    return {
        "labels": labels,
        "clip": settings["clip"] | known.get("clip", {}),
        "model": settings["model"] | known.get("model", {}),
        "frames": settings["frames"],
        "protocol": PROTOCOL_OF_SAMPLING[sampling],
        "weights": {"source": str(weights), "sha256": sha256(weights)},
        "versions": {"python": platform.python_version(), "paddle": paddle.__version__},
    }


def difference(trained: Sequence[str], wanted: Sequence[str]) -> str:
    """Say how two lists of classes differ."""
    if len(trained) != len(wanted):
        return f"{len(trained)} of them, but {len(wanted)} are wanted (dataset: classes:)"
    label = next(i for i, (a, b) in enumerate(zip(trained, wanted, strict=True)) if a != b)
    return f"label {label} is {trained[label]}, but {wanted[label]} is wanted (dataset: classes:)"


def check_head(weights: Path, tensors: dict, labels: Sequence[str]) -> None:
    """Raise UserError unless the last layer of the weights has one output for each of `labels`."""
    bias = tensors.get("fc.bias")
    if bias is not None and len(bias) != len(labels):
        raise UserError(
            f"{weights} know {len(bias)} classes, but there are {len(labels)} (dataset: classes:); "
            "to train them for other classes, give them as train: weights:"
        )


def main() -> None:
    """Read the weights, build their network, write the folder."""
    arguments = parse_arguments()
    settings = settings_argument(arguments.settings)
    tensors, known = load_weights(arguments.weights)
    metadata = describe(arguments.weights, known, settings, arguments.classes)
    check_head(arguments.weights, tensors, metadata["labels"])
    network = build_network(metadata["model"], len(metadata["labels"]))
    apply_weights(network, tensors, source=arguments.weights)
    with atomic_path(arguments.output) as folder:
        folder.mkdir()
        export(network, metadata, folder)
    print(f"exported {arguments.weights} ({len(metadata['labels'])} classes) to {arguments.output}")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="weights: .pdparams, .pth or .safetensors")
    parser.add_argument("--settings", default="{}", help="YAML text or file; sections model, clip, frames, train")
    parser.add_argument("--classes", nargs="*", default=[], help="class names in the order of their labels")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
