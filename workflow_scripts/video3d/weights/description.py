"""The description of weights: a JSON file beside them, which their SHA-256 ties to them."""

import json
import logging
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.files import sha256


def description_path(weights: Path) -> Path:
    """Return where the description of these weights is kept, whether or not there is one."""
    return weights.with_suffix(".json")


def read_description(path: Path) -> dict:
    """Return what the description of the weights at `path` says; an empty dict if there is none.

    If it describes other weights, which were there before, the dict is empty too and the log says so. Raises UserError
    if it is no description at all.
    """
    beside = description_path(path)
    if not beside.is_file():
        return {}
    try:
        metadata = json.loads(beside.read_text(encoding="utf-8"))
        checksum = metadata["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{beside} does not describe weights: restore it; beside a file of your own, deleting it helps as well"
        ) from error
    if checksum != sha256(path):
        logging.warning("%s describes other weights than %s: ignored", beside, path.name)
        return {}
    return metadata
