"""Files that are either whole or absent, their checksums and their states."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary sibling of `path` to write to; rename it to `path` when the block ends well.

    The block may create a file or a directory there. If it raises, what it wrote is removed and `path` stays as it
    was. An existing file is replaced, an existing directory too. Parent directories are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    _remove(temporary)
    try:
        yield temporary
        if temporary.is_file():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        if path.is_dir() and not path.is_symlink():
            _remove(path)
        temporary.replace(path)
    except BaseException:
        _remove(temporary)
        raise


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_state(path: str | os.PathLike) -> str:
    """Return size and modification time of a file as text: another text means another file."""
    state = Path(path).stat()
    return f"{state.st_size} bytes, {state.st_mtime_ns}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
