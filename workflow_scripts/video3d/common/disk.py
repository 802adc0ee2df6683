"""Space on the disk: checked before something large is written, and reported in plain words where it runs out."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video3d.common.errors import UserError


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise UserError if the disk of the existing `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{purpose} needs {needed / 1e9:,.2f} GB, but {folder.absolute()} has {free / 1e9:,.2f} GB free; "
            "free some space or run in a folder on another disk"
        )


@contextmanager
def full_disk_is_an_error(folder: Path) -> Iterator[None]:
    """Raise UserError if the disk fills up while the block writes to `folder`."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise UserError(
            f"the disk of {folder.absolute()} is full; free some space and run the same command again"
        ) from error
