"""Which files are meant by a path that a person gives."""

import os
from pathlib import Path


def visible_entries(folder: Path) -> list[Path]:
    """Return everything in `folder` and below that is no folder, sorted by path, without what is hidden.

    If `folder` is none, it is all there is. Beside files these may be named pipes, devices, links that lead nowhere,
    links to folders, which are not followed, and folders that cannot be read: nothing is passed over in silence.
    """
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.extend(path for name in folders if (path := Path(parent, name)).is_symlink())
        found.extend(Path(parent, name) for name in files if not name.startswith("."))
    return sorted(found)


def expand_home(path: Path) -> Path:
    """Return a path with its ~ expanded; as it is if there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
