"""A disk of chosen size, mounted over a folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOMY, PAGE = 300 << 20, 4096  # bytes


class SmallDisk:
    """A file system in memory that lies over a folder and holds what was in it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def leave(self, free: int) -> None:
        """Make it as large as what it holds and about `free` bytes, a number of pages."""
        used = shutil.disk_usage(self.folder).used
        self._mount("-o", f"remount,size={used + free or PAGE}")  # no bytes would mean no limit

    def free(self) -> int:
        """How many bytes are free."""
        return shutil.disk_usage(self.folder).free

    def _mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, str(self.folder)], check=True, capture_output=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a disk over `folder`; skips the test where that is not allowed."""
    content = folder.with_name(f"{folder.name} before")
    folder.rename(content)
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"this machine mounts no disks for tests (user {os.getuid()}): {mounted.stderr.strip()}")
    try:
        shutil.copytree(content, folder, symlinks=True, dirs_exist_ok=True)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
