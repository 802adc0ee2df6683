"""The files in an archive, and the checks that none of them does harm."""

import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from tqdm import tqdm

from video3d.common.console import progress
from video3d.common.errors import UserError

BLOCK = 1 << 20  # bytes that are unpacked at once
# Videos hardly compress; what unpacks to more than this many times its size is an attack or a mistake.
LARGEST_EXPANSION = 100
LARGEST_SMALL_ARCHIVE = 100 << 20
# What zipfile raises on archives that are cut, damaged or made to confuse.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)


@dataclass(frozen=True)
class Member:
    """A file in an archive or below a folder: its path there, with `/`, and its size in bytes."""

    name: str
    size: int


def zip_members(archive: zipfile.ZipFile, where: str) -> list[Member]:
    """Return the files of an open ZIP archive, all of which are harmless; `where` names it in errors.

    Raises UserError if one is encrypted or could do harm.
    """
    members = []
    for info in archive.infolist():
        if info.flag_bits & 0x1:
            raise UserError(f"{where}: {info.filename} is encrypted")
        check_harmless(where, info.filename, info.external_attr >> 16)
        if not info.is_dir():
            members.append(Member(info.filename, info.file_size))
    return members


def check_harmless(where: str, name: str, mode: int) -> None:
    """Raise UserError for what has no business in an archive of videos: ways out of its folder, links, devices."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or re.match(r"[A-Za-z]:", name) or ".." in path.parts:
        raise UserError(f"{where} is refused: the name {name!r} leads out of the folder it is unpacked in")
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        kind = "a link" if stat.S_ISLNK(mode) else "a special file"
        raise UserError(f"{where} is refused: {name} is {kind}")


def is_video(name: str) -> bool:
    """Return whether `name` ends like UCF101's videos, and is no hidden file of some system."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.suffix.lower() == ".avi" and not any(part.startswith((".", "__MACOSX")) for part in path.parts)


def require_sensible_size(where: str, packed: int, unpacked: int) -> None:
    """Raise UserError if the archive `where` of `packed` bytes claims to hold more than videos can: a bomb."""
    if unpacked > max(LARGEST_EXPANSION * packed, LARGEST_SMALL_ARCHIVE):
        raise UserError(
            f"{where} is refused: its {packed:,} bytes claim to unpack to {unpacked:,}, but videos hardly compress"
        )


def unpacking_progress(total: int) -> tqdm:
    """Return a progress bar for `total` bytes that are unpacked."""
    return progress(total=total, unit="B", unit_scale=True, description="unpack")
