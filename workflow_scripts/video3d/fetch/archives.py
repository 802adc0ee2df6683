"""Videos in a ZIP, in a RAR or in a folder: what is there, and how to get it out. Archives are never trusted."""

import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

import rarfile

from video3d.common.console import progress
from video3d.common.errors import UserError

BLOCK = 1 << 20
# Videos hardly compress; what unpacks to more than this many times its size is an attack or a mistake.
LARGEST_EXPANSION = 100
LARGEST_SMALL_ARCHIVE = 100 << 20
# What zipfile raises on archives that are cut, damaged or made to confuse.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)
# How installed programs print every file of a RAR archive, one after the other, without writing any.
RAR_TOOLS = {
    "unrar": ("unrar", "p", "-inul", "-p-", "--"),
    "unar": ("unar", "-q", "-o", "-", "-p", "", "--"),
    "7z": ("7z", "e", "-so", "-bb0", "-p", "--"),
    "7zz": ("7zz", "e", "-so", "-bb0", "-p", "--"),
    "bsdtar": ("bsdtar", "-x", "--to-stdout", "-f"),
}
AUTHOR_OF_UNRAR = b"Roshal"
INSTALL_RAR_TOOL = (
    "Install one of these packages: unar, libarchive-tools (bsdtar), 7zip with 7zip-rar, or RARLAB's unrar (not "
    "unrar-free); on macOS: `brew install unar`. Or use the ZIP, which needs none."
)


@dataclass(frozen=True)
class Member:
    """A file in an archive or below a folder: its path there, with `/`, and its size in bytes."""

    name: str
    size: int


class Archive(Protocol):
    """What ZIP, RAR and folder have in common."""

    def members(self) -> list[Member]:
        """All files; directories are left out. Raises UserError for names and kinds of file that nobody needs."""

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Put the members named by the keys at the paths given; their folders must exist. Checks every CRC."""


def open_archive(path: str | os.PathLike) -> Archive:
    """The archive or the folder at `path`, by what it is and not by what it is called.

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
        """All files below the folder. Links are followed, as the folder is the user's own, but never in a circle."""
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
        """All files of the archive."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                return zip_members(archive, str(self.path))
        except ZIP_ERRORS as error:
            raise UserError(f"{self.path} is not a whole ZIP archive: {error}") from error

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Unpack the members one after the other."""
        size = sum(member.size for member in self.members() if member.name in targets)
        with zipfile.ZipFile(self.path) as archive, _progress(size) as bar:
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


def zip_members(archive: zipfile.ZipFile, where: str) -> list[Member]:
    """The files of an open ZIP archive, after a check that all of them are harmless; `where` names it in errors."""
    members = []
    for info in archive.infolist():
        if info.flag_bits & 0x1:
            raise UserError(f"{where}: {info.filename} is encrypted")
        _check_harmless(where, info.filename, info.external_attr >> 16)
        if not info.is_dir():
            members.append(Member(info.filename, info.file_size))
    return members


class Rar:
    """A RAR archive: rarfile reads its directory; an installed program prints the files, which are cut and checked.

    So no foreign program ever writes a file, and what it prints counts only if every size and CRC is right.
    """

    def __init__(self, path: Path):
        self.path = path

    def members(self) -> list[Member]:
        """All files of the archive."""
        members = []
        for info in self._directory():
            if info.is_symlink() or getattr(info, "file_redir", None):
                raise UserError(f"{self.path} is refused: {info.filename} is a link")
            _check_harmless(str(self.path), info.filename, 0)
            if info.is_file():
                if info.CRC is None:
                    raise UserError(f"{self.path}: {info.filename} has no CRC-32; pack it without RAR's option -htb")
                members.append(Member(info.filename, info.file_size))
        return members

    def extract(self, targets: Mapping[str, Path]) -> None:
        """Unpack with the first installed program that gets every wanted file right."""
        files = [info for info in self._directory() if info.is_file()]
        failures = []
        for name, command in RAR_TOOLS.items():
            if not is_installed(name, command[0]):
                continue
            try:
                self._print(command, files, targets)
                return
            except _WrongOutput as error:
                failures.append(f"  - {name} {error}")
                for target in targets.values():
                    target.unlink(missing_ok=True)
        if failures:
            raise UserError(
                f"{self.path}: it is damaged, or it needs another program than those installed:\n"
                + "\n".join(failures)
                + f"\n{INSTALL_RAR_TOOL}"
            )
        raise UserError(
            f"{self.path}: unpacking a RAR archive needs a program, and none is installed\n{INSTALL_RAR_TOOL}"
        )

    def _directory(self) -> list[rarfile.RarInfo]:
        try:
            with rarfile.RarFile(self.path) as archive:
                if archive.needs_password():
                    raise UserError(f"{self.path} is encrypted")
                return archive.infolist()
        except rarfile.Error as error:
            raise UserError(f"{self.path} is not a whole RAR archive: {error}") from error

    def _print(self, command: tuple[str, ...], files: list[rarfile.RarInfo], targets: Mapping[str, Path]) -> None:
        last = max(index for index, info in enumerate(files) if info.filename in targets)
        with (
            tempfile.TemporaryDirectory() as scratch,
            subprocess.Popen(
                [*command, str(self.path.absolute())],
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process,
        ):
            try:
                with _progress(sum(info.file_size for info in files)) as bar:
                    for info in files[: last + 1]:
                        _cut(process.stdout, info, targets.get(info.filename), bar)
            finally:
                process.kill()


def is_installed(name: str, program: str) -> bool:
    """Whether a program of `RAR_TOOLS` can be run, and is what it seems.

    Debian's unrar-free calls itself unrar as well, does not know `p`, and would unpack where it stands.
    """
    if not shutil.which(program):
        return False
    return name != "unrar" or AUTHOR_OF_UNRAR in subprocess.run([program], capture_output=True, check=False).stdout


class _WrongOutput(Exception):
    """A program printed something else than the archive's files."""


def _cut(stream: IO[bytes], info: rarfile.RarInfo, target: Path | None, bar) -> None:
    """Take one file from what a program prints; write it to `target`, if wanted."""
    left, checksum = info.file_size, 0
    with Path(target or os.devnull).open("wb") as file:
        while left and (block := stream.read(min(left, BLOCK))):
            left -= len(block)
            checksum = zlib.crc32(block, checksum)
            file.write(block)
            bar.update(len(block))
    if left or checksum != info.CRC:
        raise _WrongOutput(f"did not unpack {info.filename} whole")


def _check_harmless(where: str, name: str, mode: int) -> None:
    """Refuse what has no business in an archive of videos: ways out of its folder, links, devices."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or re.match(r"[A-Za-z]:", name) or ".." in path.parts:
        raise UserError(f"{where} is refused: the name {name!r} leads out of the folder it is unpacked in")
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        kind = "a link" if stat.S_ISLNK(mode) else "a special file"
        raise UserError(f"{where} is refused: {name} is {kind}")


def is_video(name: str) -> bool:
    """Whether the member `name` is one of UCF101's videos by its ending, and no hidden file of some system."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.suffix.lower() == ".avi" and not any(part.startswith((".", "__MACOSX")) for part in path.parts)


def require_sensible_size(where: str, packed: int, unpacked: int) -> None:
    """Raise UserError if the archive `where` of `packed` bytes claims to hold more than videos can: a bomb."""
    if unpacked > max(LARGEST_EXPANSION * packed, LARGEST_SMALL_ARCHIVE):
        raise UserError(
            f"{where} is refused: its {packed:,} bytes claim to unpack to {unpacked:,}, but videos hardly compress"
        )


def _progress(total: int):
    return progress(total=total, unit="B", unit_scale=True, description="unpack")
