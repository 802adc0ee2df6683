from pathlib import Path

import pytest

from video3d.common.disk import full_disk_is_an_error, require_space
from video3d.common.errors import UserError

FULL = Path("/dev/full")


def test_too_little_space(tmp_path):
    require_space(tmp_path, 1, "a file")
    with pytest.raises(UserError, match=r"unpacking needs 1,000,000\.00 GB.*GB free"):
        require_space(tmp_path, 10**15, "unpacking")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_meanwhile(tmp_path):
    with pytest.raises(UserError, match="is full"), full_disk_is_an_error(tmp_path), FULL.open("wb") as file:
        file.write(b"x" * 100_000)


def test_other_errors_stay(tmp_path):
    with pytest.raises(FileNotFoundError), full_disk_is_an_error(tmp_path):
        (tmp_path / "absent").read_bytes()
