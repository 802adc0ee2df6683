"""What an exported model says about itself, worked out from its weights and completed by the settings."""

import logging
from collections.abc import Sequence
from pathlib import Path

from video3d.clips.spatial_crops import FIRST_RESIZING, RESIZING
from video3d.common.errors import UserError
from video3d.common.printable import printable
from video3d.common.settings import Settings
from video3d.common.versions import package_versions
from video3d.evaluation.model_metadata import UNCHECKED

PROTOCOL_FOR = {  # by how the training chose frames, or by who trained
    "segments": "segments",
    "consecutive": "sliding",
    "reference implementation": "segments",
    "PyTorch": "sliding",
}
TRAINING_FACTS = ("train", "seed", "data", "commit", "versions", "start")


def describe_model(weights: Path, known: dict, settings: Settings, expected_classes: Sequence[str]) -> dict:
    """Return the metadata of a model that is exported from `weights`.

    Where the weights come from and what they have seen is told by check_weights.py: until then they are unchecked.

    Args:
        weights: the file.
        known: the metadata of `load_any`; where they differ from the settings they count, and the log says so.
        settings: the sections model, clip, frames and train.
        expected_classes: class names that the weights must have, in this order; empty for any.

    Raises UserError if the weights are of another number of classes, of other ones, or have them in another order.
    """
    class_names = known.get("labels") or list(expected_classes)
    if known["num_classes"] != len(class_names) or (expected_classes and class_names != list(expected_classes)):
        raise UserError(explain_other_classes(weights, known, expected_classes))
    if not known.get("labels"):
        logging.warning(
            "%s do not tell the names of their classes: taken to be those of the split, in its order", weights
        )
    return {
        "labels": class_names,
        "clip": complete_section("clip", known.get("clip", {}), settings.clip.model_dump()),
        "model": complete_section("model", known["model"], settings.model.model_dump()),
        "frames": settings.frames.model_dump(),
        "resizing": known.get("resizing", FIRST_RESIZING if "train" in known else RESIZING),
        "protocol": choose_protocol(known, settings),
        "weights": {
            **UNCHECKED,
            "source": printable(str(weights)),
            "sha256": known["sha256"],
            "made_by": known["source"],
        },
        "training": {name: known[name] for name in TRAINING_FACTS if name in known},
        "versions": package_versions("paddle"),
    }


def complete_section(section: str, known: dict, settings: dict) -> dict:
    """Return a section of the settings in which what is known about the weights replaces what was set."""
    for key, value in known.items():
        if value != settings.get(key):
            logging.info("%s: %s: %s, as the weights have it, not %s", section, key, value, settings.get(key))
    for key in sorted((settings.keys() - known.keys()) & {"mean", "std"}):
        logging.warning("clip: %s: %s, from the settings: the weights do not tell theirs", key, settings[key])
    return settings | known


def choose_protocol(known: dict, settings: Settings) -> str:
    """Return the protocol that shows clips as the training did; prediction uses it unless told otherwise."""
    sampling = known["train"]["sampling"] if "train" in known else settings.train.sampling
    return PROTOCOL_FOR.get(known["source"]) or PROTOCOL_FOR[sampling]


def explain_other_classes(weights: Path, known: dict, expected: Sequence[str]) -> str:
    """Return how the classes of the weights differ from those that are expected."""
    trained = known.get("labels", [])
    if known["num_classes"] is None:
        return f"{weights} have no classifier: give the file as train: weights: to train one"
    if not expected:
        return f"{weights} know {known['num_classes']} classes but not their names; give them as --classes"
    if known["num_classes"] != len(expected):
        return (
            f"{weights} know {known['num_classes']} classes, but {len(expected)} are wanted (dataset: classes:); "
            "to train them for other classes, give the file as train: weights:"
        )
    label = next(i for i, (ours, theirs) in enumerate(zip(trained, expected, strict=True)) if ours != theirs)
    return f"{weights}: label {label} is {trained[label]}, but {expected[label]} is wanted (dataset: classes:)"
