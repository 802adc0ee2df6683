import errno
import hashlib
import os

import pytest

from video3d.common.errors import UserError
from video3d.common.files import atomic_path, file_state, remove_abandoned, sha256


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


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with atomic_path(tmp_path / "file") as first:
        with atomic_path(tmp_path / "file") as second:
            first.write_text("first")
            second.write_text("second")
        assert (tmp_path / "file").read_text() == "second"
    assert (tmp_path / "file").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path, start_python):
    code = """
from video3d.common.files import atomic_path
with atomic_path("folder/file") as path:
    path.write_text("half")
    print(flush=True)
    input()
"""
    killed, living = start_python(code), start_python(code)
    for process in (killed, living):
        process.stdout.readline()
    killed.kill()
    killed.wait()
    (tmp_path / "folder/.model.123.part").mkdir()  # as version 0.1 called them
    (tmp_path / "folder/.file.124.part").touch()
    (tmp_path / "folder/.hidden").touch()
    remove_abandoned(tmp_path)
    assert len(list(tmp_path.glob("folder/.file.*.part"))) == 1
    living.communicate("\n")
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [".hidden", "file"]


def test_a_full_disk_is_said_in_a_sentence_and_gets_its_space_back(tmp_path):
    (tmp_path / "file").write_text("old")
    said = pytest.raises(UserError, match=r"file could not be written \(No space left on device\): it needs more than")
    with said, atomic_path(tmp_path / "file") as path:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
