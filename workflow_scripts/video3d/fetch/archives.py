"""Videos in a ZIP, in a RAR or in a folder: what is there, and how to get it out. Archives are never trusted."""

import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from video3d.common.errors import UserError
from video3d.fetch.archive_members import BLOCK, ZIP_ERRORS, Member, unpacking_progress, zip_members
from video3d.fetch.rar_archive import Rar


class Archive(Protocol):
    """What ZIP, RAR and folder have in common."""

    def members(self) -> list[Member]:
        """Return all files, without folders. Raises UserError for names and kinds of file that could do harm."""

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Write each member that is a key to its path, whose folder must exist. Checks every CRC."""


def open_archive(path: str | os.PathLike) -> Archive:
    """Open the archive or the folder at `path`, by what it is and not by what it is called.

    Raises UserError if it is missing or neither folder, ZIP nor RAR.
    """
    path = Path(path)
    if path.is_dir():
        return Folder(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if start.startswith(b"Rar!\x1a\x07"):
        return Rar(path)
    if start.startswith(b"PK"):
        return Zip(path)
    raise UserError(f"{path} is neither a ZIP nor a RAR archive, but begins with {start!r}; was something else saved?")


class Folder:
    """Videos that are unpacked already, nested or flat. They are linked to, not copied."""

    def __init__(self, path: Path):
        self.path = path

    def members(self) -> list[Member]:
        """Return all files below the folder. Follows links, as the folder is the user's own, but never in a circle."""
        found, seen = [], set()
        for folder, subfolders, files in os.walk(self.path, followlinks=True):
            here = Path(folder)
            identity = (here.stat().st_dev, here.stat().st_ino)
            if identity in seen:
                subfolders.clear()
                continue
            seen.add(identity)
            subfolders.sort()
            for file in sorted(files):
                if (here / file).is_file():
                    name = (here / file).relative_to(self.path).as_posix()
                    found.append(Member(name, (here / file).stat().st_size))
        return found

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Link to the files."""
        for name, target in targets.items():
            target.symlink_to((self.path / name).absolute())


class Zip:
    """A ZIP archive, read by Python's zipfile, which checks the CRC of each member."""

    def __init__(self, path: Path):
        self.path = path

    def members(self) -> list[Member]:
        """Return all files of the archive."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                return zip_members(archive, str(self.path))
        except ZIP_ERRORS as error:
            raise UserError(f"{self.path} is not a whole ZIP archive: {error}") from error

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Unpack the members one after the other."""
        size = sum(member.size for member in self.members() if member.name in targets)
        with zipfile.ZipFile(self.path) as archive, unpacking_progress(size) as bar:
            for name, target in targets.items():
                with target.open("xb") as file:
                    for block in self._blocks(archive, name):
                        file.write(block)
                        bar.update(len(block))

    def _blocks(self, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
        try:
            with archive.open(name) as member:
                while block := member.read(BLOCK):
                    yield block
        except (*ZIP_ERRORS, OSError) as error:
            raise UserError(f"{self.path}: {name} is damaged: {error}") from error
