"""Stored ZIP archives: the same bytes for the same files, whole or absent."""

import time
import zipfile

import pytest

from video3d.common.stored_zip import StoredZip

FILES = {"folder/one.txt": b"1" * 100, "zwei ü.txt": b"", "three": b"3"}


def write(path):
    with StoredZip(path) as archive:
        for name, content in FILES.items():
            archive.add(name, content)
    return path.read_bytes()


def test_files_come_back_stored_and_readable_by_all(tmp_path):
    write(tmp_path / "new" / "archive.zip")
    with zipfile.ZipFile(tmp_path / "new" / "archive.zip") as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == FILES
        assert {(info.compress_type, info.external_attr >> 16) for info in archive.infolist()} == {(0, 0o100644)}


def test_equal_files_give_equal_bytes_at_any_time(tmp_path):
    first = write(tmp_path / "first.zip")
    time.sleep(2.1)  # the dates of a ZIP count in steps of two seconds
    assert write(tmp_path / "second.zip") == first


def test_an_error_leaves_what_was_there(tmp_path):
    before = write(tmp_path / "archive.zip")
    with pytest.raises(RuntimeError), StoredZip(tmp_path / "archive.zip") as archive:
        archive.add("another", b"")
        raise RuntimeError
    assert (tmp_path / "archive.zip").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["archive.zip"]
