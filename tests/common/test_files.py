import hashlib
import os

import pytest

from video3d.common.files import atomic_path, file_state, sha256


def test_a_file_appears_whole(tmp_path):
    with atomic_path(tmp_path / "new" / "file.txt") as path:
        path.write_text("text")
        assert not (tmp_path / "new" / "file.txt").exists()
    assert (tmp_path / "new" / "file.txt").read_text() == "text"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["file.txt"]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as path:
        path.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_directory_replaces_a_directory(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()
    with atomic_path(tmp_path / "folder") as path:
        path.mkdir()
        (path / "new").touch()
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["new"]


def test_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()


def test_another_state_is_another_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("text")
    os.utime(path, ns=(1, 2))
    assert file_state(path) == "4 bytes, 2"
    os.utime(path, ns=(5, 2))  # it was read, not written
    assert file_state(path) == "4 bytes, 2"
    os.utime(path, ns=(1, 3))
    assert file_state(path) == "4 bytes, 3"
