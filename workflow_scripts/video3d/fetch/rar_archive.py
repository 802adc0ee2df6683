"""RAR archives, which only foreign programs can unpack: whatever they print is checked before it counts."""

import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import rarfile
from tqdm import tqdm

from video3d.common.errors import UserError
from video3d.fetch.archive_members import BLOCK, Member, check_harmless, unpacking_progress

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


class Rar:
    """A RAR archive: rarfile reads its directory; an installed program prints the files, which are cut and checked.

    So no foreign program ever writes a file, and what it prints counts only if every size and CRC is right.
    """

    def __init__(self, path: Path):
        self.path = path

    def members(self) -> list[Member]:
        """Return all files of the archive."""
        members = []
        for info in self._directory():
            if info.is_symlink() or getattr(info, "file_redir", None):
                raise UserError(f"{self.path} is refused: {info.filename} is a link")
            check_harmless(str(self.path), info.filename, 0)
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
                self._run(command, files, targets)
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

    def _run(self, command: tuple[str, ...], files: list[rarfile.RarInfo], targets: Mapping[str, Path]) -> None:
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
                with unpacking_progress(sum(info.file_size for info in files)) as bar:
                    for info in files[: last + 1]:
                        _copy_file(process.stdout, info, targets.get(info.filename), bar)
            finally:
                process.kill()


def is_installed(name: str, program: str) -> bool:
    """Return whether a program of `RAR_TOOLS` can be run and is what it seems.

    Debian's unrar-free calls itself unrar as well, does not know `p`, and would unpack where it stands.
    """
    if not shutil.which(program):
        return False
    return name != "unrar" or AUTHOR_OF_UNRAR in subprocess.run([program], capture_output=True, check=False).stdout


class _WrongOutput(Exception):
    """A program printed something else than the archive's files."""


def _copy_file(stream: IO[bytes], info: rarfile.RarInfo, target: Path | None, bar: tqdm) -> None:
    """Copy one file from what a program prints to `target`, or skip it. Raises _WrongOutput if it is not whole."""
    left, checksum = info.file_size, 0
    with Path(target or os.devnull).open("wb") as file:
        while left and (block := stream.read(min(left, BLOCK))):
            left -= len(block)
            checksum = zlib.crc32(block, checksum)
            file.write(block)
            bar.update(len(block))
    if left or checksum != info.CRC:
        raise _WrongOutput(f"did not unpack {info.filename} whole")
