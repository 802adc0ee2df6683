"""The user's paths that Snakemake cannot take as inputs.

It reads {name} and <name> in a path as its own, prints names as they are, and waits for a named pipe or fails at a file
that it may not read.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from video3d.common.files import file_state
from video3d.common.printable import printable

PATTERN = re.compile("[{}<>]")


def as_inputs(files: Iterable[str]) -> list[str]:
    """Return those of `files` that can be inputs of a rule; one that is not there yet can be."""
    return [file for file in files if _can_be_input(file)]


def as_parameter(files: Iterable[str]) -> list[str]:
    """Return those of `files` that cannot be inputs, as printable text with size and time.

    So a new file makes a job stale as a new input does.
    """
    return [f"{printable(file)}, {_state(file)}" for file in files if not _can_be_input(file)]


def _can_be_input(file: str) -> bool:
    if PATTERN.search(file) or not file.isprintable():
        return False
    try:
        mode = Path(file).stat().st_mode
    except FileNotFoundError:
        return not Path(file).is_symlink()
    except OSError:
        return False
    return (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and os.access(file, os.R_OK, effective_ids=True)


def _state(file: str) -> str:
    try:
        return file_state(file)
    except OSError as error:
        return str(error.strerror)
