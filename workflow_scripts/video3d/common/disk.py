"""Faults of disks in plain words: space that runs out, also before something large is written, and what none can do."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.printable import shortened

LIMITS = {errno.EDQUOT, errno.EFBIG}  # of a user, of a file; the disk may have space
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
IMPOSSIBLE = {errno.ENAMETOOLONG, errno.ELOOP}
FAILING = {errno.EIO, errno.ESTALE}
NO_PLACE = "No usable temporary directory"  # how tempfile begins to say that none can be written to


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise UserError if the disk of the existing `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{purpose} needs {_size(needed)}, but {folder.absolute()} has {_size(free)} free; "
            "free some space or run in a folder on another disk"
        )


@contextmanager
def disk_faults_are_errors(path: Path) -> Iterator[None]:
    """Raise UserError if the disk of `path` is full, fails, or forbids what the block does with it.

    What the block has written must be removed when it raises: the space that is free then was not enough.
    """
    try:
        yield
    except OSError as error:
        if fault := disk_fault(error, path):
            raise UserError(fault) from error
        raise


def disk_fault(error: OSError, path: Path | None = None) -> str:
    """Return in plain words what an error says about the disk of `path`; empty if it is about something else."""
    if isinstance(error.filename, str) and not (path and f".{path.name}." in error.filename):
        path = Path(error.filename)
    if str(error.strerror).startswith(NO_PLACE):
        return f"temporary files can be written nowhere ({error.strerror}); free some space there or set TMPDIR"
    if error.errno in FORBIDDEN:
        return f"{path or 'a file'} cannot be used: {error.strerror}; see who owns it and how its disk is mounted"
    if error.errno in IMPOSSIBLE:
        return f"{shortened(str(path)) if path else 'a file'} cannot be used: {error.strerror}; give another path"
    if error.errno in FAILING:
        return f"{path or 'a file'} cannot be read or written: {error.strerror}; see whether its disk is in order"
    if error.errno in LIMITS:
        return f"{path or 'a file'} could not be written: {error.strerror}; remove something, or ask who set the limit"
    if error.errno != errno.ENOSPC:
        return ""
    if path is None:
        return f"a disk is full ({error.strerror}); free some space and run the same command again"
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    free = _size(shutil.disk_usage(folder).free)
    return (
        f"{path} could not be written ({error.strerror}): it needs more than the {free} that are free in {folder}; "
        "free some space and run the same command again"
    )


def _size(count: int) -> str:
    return f"{count / 1e9:,.2f} GB" if count >= 1e8 else f"{count / 1e6:,.3f} MB"
