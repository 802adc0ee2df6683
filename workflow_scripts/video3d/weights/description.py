"""The description of weights: a JSON file beside them, tied to them by their SHA-256, and by its own to itself."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from video3d.common.documents import SEAL, read_document, sealed
from video3d.common.errors import UserError
from video3d.common.files import atomic_path, sha256
from video3d.weights.description_schema import Description

REMEDY = "restore it; beside a file of your own, deleting it helps as well"
NETWORK = ("depth", "shortcut", "width", "cardinality")  # what tensors tell of `model:`, too


def description_path(weights: Path) -> Path:
    """Return where the description of these weights is kept, whether or not there is one."""
    return weights.with_suffix(".json")


def write_description(weights: Path, checksum: str, metadata: Mapping[str, Any]) -> None:
    """Write `metadata` beside the weights whose SHA-256 is `checksum`, tied to them and to itself."""
    with atomic_path(description_path(weights)) as beside:
        beside.write_text(sealed({**metadata, "sha256": checksum}), encoding="utf-8")


def read_description(path: Path) -> dict[str, Any]:
    """Return what the description of the weights at `path` says; an empty dict if there is none.

    If it describes other weights, which were there before, the dict is empty too and the log says so, as it says of a
    description without a checksum of its own. Raises UserError if it is no description at all, or was changed.
    """
    beside = description_path(path)
    if not beside.is_file():
        return {}
    description = read_document(beside, Description, REMEDY)
    if description["sha256"] != sha256(path):
        logging.warning("%s describes other weights than %s: ignored", beside, path.name)
        return {}
    if SEAL not in description:
        logging.warning("%s is of an early version and has no checksum: nobody knows whether it was changed", beside)
    return description


def require_same_network(path: Path, described: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raise UserError if the description of weights tells of another network, or other classes, than their tensors."""
    for key in NETWORK:
        if described and described["model"][key] != found["model"][key]:
            raise UserError(
                f"{description_path(path)} says model: {key}: {described['model'][key]}, but the weights beside it are "
                f"of {found['model'][key]}; {REMEDY}"
            )
    if described and len(described["labels"]) != found["num_classes"]:
        raise UserError(
            f"{description_path(path)} names {len(described['labels'])} classes, but the weights beside it know "
            f"{found['num_classes']}; {REMEDY}"
        )
