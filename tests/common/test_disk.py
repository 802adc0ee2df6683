from pathlib import Path

import pytest

from video3d.common.disk import disk_faults_are_errors, require_space
from video3d.common.errors import UserError

FULL = Path("/dev/full")


def test_too_little_space(tmp_path):
    require_space(tmp_path, 1, "a file")
    with pytest.raises(UserError, match=r"unpacking needs 1,000,000\.00 GB.*GB free"):
        require_space(tmp_path, 10**15, "unpacking")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_meanwhile(tmp_path):
    with (
        pytest.raises(UserError, match=r"file could not be written .* needs more than the .* free in"),
        disk_faults_are_errors(tmp_path / "file"),
        FULL.open("wb") as file,
    ):
        file.write(b"x" * 100_000)


def test_what_may_not_be_used_is_named(tmp_path):
    with pytest.raises(UserError, match="other cannot be used: Permission denied"), disk_faults_are_errors(tmp_path):
        raise PermissionError(13, "Permission denied", "other")
    read_only = pytest.raises(UserError, match=r"^file cannot be used: Read-only file system")
    with read_only, disk_faults_are_errors(Path("file")):
        raise OSError(30, "Read-only file system", "folder/.file.ab_12.part")


def test_other_errors_stay(tmp_path):
    with pytest.raises(FileNotFoundError), disk_faults_are_errors(tmp_path):
        (tmp_path / "absent").read_bytes()
