"""The official lists where they come from: a folder, or a ZIP in whatever folder of it."""

import re
import zipfile
from pathlib import Path, PurePosixPath

from video3d.common.errors import UserError
from video3d.fetch.archive_members import ZIP_ERRORS

LIST_NAME = re.compile(r"classInd\.txt|(train|test)list\d\d\.txt")
LARGEST_LIST = 10 << 20  # bytes; the official ones have at most 0.5 MB
SETTING = "dataset.lists"


def lists_in_folder(folder: Path) -> dict[str, bytes]:
    """Return name and content of the list files in `folder`, or in its subfolder ucfTrainTestlist."""
    if (folder / "ucfTrainTestlist").is_dir():
        folder = folder / "ucfTrainTestlist"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if LIST_NAME.fullmatch(path.name)}


def lists_in_zip(archive: Path) -> dict[str, bytes]:
    """Return name and content of the list files in a ZIP, in whatever folder of it they are.

    Raises UserError if it is damaged, holds a list twice, or one that is too large to be a list.
    """
    lists: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                name = PurePosixPath(info.filename)
                if not LIST_NAME.fullmatch(name.name) or "__MACOSX" in name.parts:
                    continue
                if name.name in lists:
                    raise UserError(f"{SETTING}: {archive.name} holds {name.name} twice")
                if info.file_size > LARGEST_LIST:
                    raise UserError(f"{SETTING}: {info.filename} in {archive.name} is too large for a list")
                lists[name.name] = file.read(info)
    except ZIP_ERRORS as error:
        raise UserError(f"{SETTING}: {archive.name} is not a whole ZIP archive: {error}") from error
    return lists
