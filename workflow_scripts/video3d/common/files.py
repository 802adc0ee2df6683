"""Files that are either whole or absent, their checksums and their states."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video3d.common.disk import disk_faults_are_errors
from video3d.common.file_lock import try_lock

LOCK = "lock"


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path to write to, in a folder of its own; rename it to `path` when the block ends well.

    The block may create a file or a directory there. If it raises, what it wrote is removed and `path` stays as it
    was. An existing file is replaced, an existing directory too. Parent directories are made. Raises UserError if the
    disk is full or may not be written.
    """
    path = Path(path)
    with disk_faults_are_errors(path), own_folder(path) as folder:
        temporary = folder / path.name
        yield temporary
        if temporary.is_file():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        if path.is_dir() and not path.is_symlink():
            path.rename(folder / f"old {path.name}")
        temporary.replace(path)


@contextmanager
def own_folder(path: Path) -> Iterator[Path]:
    """Give a hidden folder beside `path` that no other process writes to, and remove it with all that is left in it.

    A lock in it tells that its writer lives; see `remove_abandoned`. The parent directories of `path` are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        with (folder / LOCK).open("a+") as lock:
            with contextlib.suppress(OSError):  # a file system without locks
                try_lock(lock)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(top: Path) -> None:
    """Remove the folders of `own_folder` below `top` whose writers were killed, and what version 0.1 left of this kind.

    Where a file system has no locks nobody knows whether a writer lives: there the folders stay.
    """
    for parent, folders, files in os.walk(top):
        for folder in [name for name in folders if _is_part(name)]:
            folders.remove(folder)
            if _is_abandoned(Path(parent, folder)):
                shutil.rmtree(Path(parent, folder), ignore_errors=True)
        for file in filter(_is_part, files):
            Path(parent, file).unlink(missing_ok=True)


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_state(path: str | os.PathLike) -> str:
    """Return size and modification time of a file as text: another text means another file."""
    state = Path(path).stat()
    return f"{state.st_size} bytes, {state.st_mtime_ns}"


def _is_part(name: str) -> bool:
    return name.startswith(".") and name.endswith((".part", ".partial"))


def _is_abandoned(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("a+") as lock:
            return try_lock(lock)
    except OSError:
        return False
