"""Which files of a folder are meant when the folder is given."""

from pathlib import Path


def visible_files(folder: Path) -> list[Path]:
    """The files in `folder` and below, by path, but none that is hidden or lies in a hidden folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
