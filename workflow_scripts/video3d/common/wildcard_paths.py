"""The user's paths that Snakemake would take for patterns: it reads {name} and <name> in a path as its own."""

import re
from collections.abc import Iterable

from video3d.common.files import file_state

PATTERN = re.compile("[{}<>]")


def as_inputs(files: Iterable[str]) -> list[str]:
    """Return those of `files` that can be inputs of a rule."""
    return [file for file in files if not PATTERN.search(file)]


def as_parameter(files: Iterable[str]) -> list[str]:
    """Return those of `files` that cannot be inputs, with size and time.

    So a new file makes a job stale as a new input does.
    """
    return [f"{file}, {file_state(file)}" for file in files if PATTERN.search(file)]
