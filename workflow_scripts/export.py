"""Turn weights into a model for inference: a folder that is all that evaluation and prediction need.

In: weights, with their description (.json) beside them if they were trained here; settings fill in what no description
says. Out: model.json and model.pdiparams, a program that takes uint8 RGB clips, with the normalisation inside, and
metadata.json: class names, what a clip is, how frames are stored and resized, which protocol fits, where the weights
come from.
"""

import argparse
import logging
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from video3d.augment import FIRST_RESIZING, RESIZING
from video3d.config import settings_argument
from video3d.console import UserError, run
from video3d.convert import load_any
from video3d.device import paddle_version
from video3d.files import atomic_path, sha256
from video3d.inference import export
from video3d.resnet3d import build_network
from video3d.weights import apply_weights

PROTOCOLS = {
    "segments": "segments",
    "consecutive": "sliding",
    "reference implementation": "segments",
    "PyTorch": "sliding",
}
TRAINING_FACTS = ("train", "seed", "data", "commit", "versions")


def describe(weights: Path, known: dict, settings: dict, classes: Sequence[str]) -> dict:
    """The metadata of the exported model: what is known about the weights, completed by the settings.

    `known` are the metadata of `load_any`; where they differ from the settings they count, and the log says so. Raises
    UserError if the weights are of another number of classes than `classes`, of other ones, or have them in another
    order.
    """
    labels = known.get("labels") or list(classes)
    if known["classes"] != len(labels) or (classes and labels != list(classes)):
        raise UserError(other_classes(weights, known, classes))
    return {
        "labels": labels,
        "clip": completed("clip", known.get("clip", {}), settings),
        "model": completed("model", known["model"], settings),
        "frames": settings["frames"],
        "resizing": known.get("resizing", FIRST_RESIZING if "train" in known else RESIZING),
        "protocol": fitting_protocol(known, settings),
        "weights": {"source": str(weights), "sha256": sha256(weights), "made_by": known["source"]},
        "training": {name: known[name] for name in TRAINING_FACTS if name in known},
        "versions": {"python": platform.python_version(), "paddle": paddle_version()},
    }


def completed(section: str, known: dict, settings: dict) -> dict:
    """A section of the settings in which what is known about the weights has replaced what was set."""
    for key, value in known.items():
        if value != settings[section].get(key):
            logging.info("%s: %s: %s, as the weights have it, not %s", section, key, value, settings[section].get(key))
    for key in sorted((settings[section].keys() - known.keys()) & {"mean", "std"}):
        logging.warning("clip: %s: %s, from the settings: the weights do not tell theirs", key, settings[section][key])
    return settings[section] | known


def fitting_protocol(known: dict, settings: dict) -> str:
    """The protocol that shows clips as the training did; prediction uses it unless told otherwise."""
    sampling = known.get("train", settings["train"])["sampling"]
    return PROTOCOLS.get(known["source"]) or PROTOCOLS[sampling]


def other_classes(weights: Path, known: dict, wanted: Sequence[str]) -> str:
    """Say how the classes of the weights differ from those that are wanted."""
    trained = known.get("labels", [])
    if known["classes"] is None:
        return f"{weights} have no classifier: give the file as train: weights: to train one"
    if not wanted:
        return f"{weights} know {known['classes']} classes but not their names; give them as --classes"
    if known["classes"] != len(wanted):
        return (
            f"{weights} know {known['classes']} classes, but {len(wanted)} are wanted (dataset: classes:); "
            "to train them for other classes, give the file as train: weights:"
        )
    label = next(i for i, (ours, theirs) in enumerate(zip(trained, wanted, strict=True)) if ours != theirs)
    return f"{weights}: label {label} is {trained[label]}, but {wanted[label]} is wanted (dataset: classes:)"


def main() -> None:
    """Read the weights, build their network, write the folder."""
    arguments = parse_arguments()
    settings = settings_argument(arguments.settings)
    tensors, known = load_any(arguments.weights)
    metadata = describe(arguments.weights, known, settings, arguments.classes)
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
