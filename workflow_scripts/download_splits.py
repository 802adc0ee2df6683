"""Fetch the official train and test lists: a ZIP (URL or file) or a folder in, a folder of lists out, byte for byte."""

import argparse
import logging
import re
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from video3d.archives import ZIP_ERRORS
from video3d.console import UserError, run
from video3d.download import obtain
from video3d.files import atomic_path
from video3d.sources import locate

LIST_NAME = re.compile(r"classInd\.txt|(train|test)list\d\d\.txt")
REQUIRED = {"classInd.txt", "trainlist01.txt", "testlist01.txt"}
LARGEST_LIST = 10 << 20  # bytes; the official ones have at most 0.5 MB
SETTING = "dataset.lists"


def fetch_lists(sources: Sequence[str], checksum: str | None, output: Path) -> None:
    """Put the lists from the first source that works into a new folder `output`.

    Raises UserError if none works, or if classInd.txt or the lists of split 1 are missing.
    """
    source = locate(sources, setting=SETTING)
    output.parent.mkdir(parents=True, exist_ok=True)
    if source.kind == "folder":
        lists = lists_in_folder(Path(source.path))
    else:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".lists.") as folder:
            archive = Path(folder) / source.name
            obtain(source, checksum, archive, SETTING)
            lists = lists_in_zip(archive)
    if missing := sorted(REQUIRED - set(lists)):
        raise UserError(f"{SETTING}: {source.path or source.urls[0]} does not hold {', '.join(missing)}")
    with atomic_path(output) as temporary:
        temporary.mkdir()
        for name, content in lists.items():
            (temporary / name).write_bytes(content)
    logging.info("%s: %s", output, ", ".join(sorted(lists)))


def lists_in_folder(folder: Path) -> dict[str, bytes]:
    """Name and content of the list files in `folder`, or in its subfolder ucfTrainTestlist."""
    if (folder / "ucfTrainTestlist").is_dir():
        folder = folder / "ucfTrainTestlist"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if LIST_NAME.fullmatch(path.name)}


def lists_in_zip(archive: Path) -> dict[str, bytes]:
    """Name and content of the list files in a ZIP, in whatever folder of it."""
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


def main() -> None:
    """Parse the arguments and fetch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", nargs="+", required=True, help="URLs of the ZIP of lists, a ZIP file or a folder")
    parser.add_argument("--sha256", default="", help="checksum of the ZIP; needed for a URL")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    arguments = parser.parse_args()
    fetch_lists(arguments.source, arguments.sha256, arguments.output)


if __name__ == "__main__":
    sys.exit(run(main))
