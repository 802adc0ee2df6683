"""The files that are meant when their folder is given."""

from pathlib import Path


def visible_files(folder: Path) -> list[Path]:
    """Return the files in `folder` and below, sorted by path, without hidden ones and those in hidden folders."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
