import struct
import zipfile

import pytest

from video3d.common.bounded_zip import open_bounded_zip


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("one", b"1" * 1000)
        file.writestr("two", b"22")
    return path


def test_stored_members_are_read(archive):
    with open_bounded_zip(archive) as file:
        assert {name: file.read(name) for name in file.namelist()} == {"one": b"1" * 1000, "two": b"22"}


def test_a_member_that_grows_is_refused(archive):
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("three", b"3", zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="'three' in it is compressed"), open_bounded_zip(archive):
        pass


def test_members_larger_than_the_archive_are_refused(archive):
    content = archive.read_bytes()
    size = struct.pack("<I", 1000)
    assert content.count(size) == 4  # compressed and not, of the member and of its entry in the directory
    archive.write_bytes(content.replace(size, struct.pack("<I", 5000)))
    with pytest.raises(ValueError, match="larger than itself"), open_bounded_zip(archive):
        pass


def test_damage_is_found(archive):
    archive.write_bytes(archive.read_bytes().replace(b"22", b"23", 1))
    with open_bounded_zip(archive) as file, pytest.raises(zipfile.BadZipFile, match="CRC"):
        file.read("two")


def test_a_directory_without_end_is_refused(archive):
    content = archive.read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entries = 40_000 * content[start:end]
    archive.write_bytes(
        content[:start] + entries + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0, 0, len(entries), start, 0)
    )
    with pytest.raises(ValueError, match="far more members"), open_bounded_zip(archive):
        pass
