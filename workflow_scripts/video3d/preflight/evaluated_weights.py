"""Which weights are evaluated, and whether they are those that `check_weights` looked at before."""

import hashlib
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.files import file_state, sha256
from video3d.evaluation.model_metadata import read_origin


def weights_mark(given: str | None) -> str:
    """Return the name of the file that says where evaluated weights come from, without its ending.

    Each file that is `given` has a name of its own, and a new one if it changes: Snakemake removes the outputs of a job
    before it starts, and weights that are refused must leave what is known about those that were evaluated before.
    """
    return hashlib.sha256(f"{given} {file_state(given)}".encode()).hexdigest()[:8] if given else "trained"


def replacement(weights: Path, origin: Path) -> str:
    """Return what changes when `weights` are others than those that `origin` tells of, also if they are older files.

    Empty as long as there are no weights, or nothing is known about them. In a copy of a folder weights have other
    times; then their content counts.
    """
    if not (origin.is_file() and weights.is_file()):
        return ""
    try:
        known = read_origin(origin)
    except UserError:  # the export will say so
        return ""
    unchanged = known.get("file_state") == file_state(weights) or known.get("sha256") == sha256(weights)
    return known.get("replacement", "") if unchanged else file_state(weights)
