import random
import shutil
import stat
import zipfile
import zlib

import pytest

from helpers.rar_files import LINK, rar4, rar5
from video3d.common.errors import UserError
from video3d.fetch import archive_members, rar_archive
from video3d.fetch.archive_members import is_video, require_sensible_size
from video3d.fetch.archives import open_archive

VIDEOS = {
    f"UCF-101/Punch/v_Punch_g01_c{clip:02}.avi": random.Random(clip).randbytes(size)
    for clip, size in enumerate([200_000, 1, 3_000_000], 1)
}
MAKERS = {"rar4": rar4, "rar5": rar5}


def write_zip(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write(path, content):
    path.write_bytes(content)
    return path


def extracted(archive, tmp_path, wanted=VIDEOS):
    targets = {name: tmp_path / f"{number}.avi" for number, name in enumerate(wanted)}
    open_archive(archive).extract(targets)
    return {name: target.read_bytes() for name, target in targets.items()}


def sizes(archive):
    return {member.name: member.size for member in open_archive(archive).members()}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip(tmp_path, compression):
    archive = write_zip(tmp_path / "videos", VIDEOS, compression)
    assert sizes(archive) == {name: len(content) for name, content in VIDEOS.items()}
    assert extracted(archive, tmp_path) == VIDEOS


def test_a_zip_with_folders_and_a_part_of_its_files(tmp_path):
    archive = write_zip(tmp_path / "videos.zip", {"UCF-101/": b"", **VIDEOS})
    wanted = dict(list(VIDEOS.items())[1:])
    assert len(sizes(archive)) == len(VIDEOS)
    assert extracted(archive, tmp_path, wanted) == wanted


def test_a_folder_is_linked(tmp_path):
    for name, content in VIDEOS.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "broken.avi").symlink_to(tmp_path / "nowhere")
    assert sizes(tmp_path / "in") == {name: len(content) for name, content in VIDEOS.items()}
    assert extracted(tmp_path / "in", tmp_path) == VIDEOS
    assert (tmp_path / "0.avi").is_symlink()


@pytest.mark.parametrize("tool", rar_archive.RAR_TOOLS)
@pytest.mark.parametrize("kind", MAKERS)
def test_a_rar_with_each_installed_program(tmp_path, monkeypatch, kind, tool):
    if not rar_archive.is_installed(tool, tool):
        pytest.skip(f"{tool} is not installed")
    archive = write(tmp_path / "videos.rar", MAKERS[kind](VIDEOS))
    assert sizes(archive) == {name: len(content) for name, content in VIDEOS.items()}
    monkeypatch.setattr(rar_archive, "RAR_TOOLS", {tool: rar_archive.RAR_TOOLS[tool]})
    assert extracted(archive, tmp_path) == VIDEOS


@pytest.fixture
def any_rar_tool():
    if not any(rar_archive.is_installed(tool, tool) for tool in rar_archive.RAR_TOOLS):
        pytest.skip(f"no program for RAR is installed ({', '.join(rar_archive.RAR_TOOLS)})")


@pytest.mark.usefixtures("any_rar_tool")
@pytest.mark.parametrize("kind", MAKERS)
def test_a_part_of_a_rar_with_what_is_installed(tmp_path, kind):
    archive = write(tmp_path / "videos.rar", MAKERS[kind](VIDEOS))
    wanted = dict(list(VIDEOS.items())[1:2])
    assert extracted(archive, tmp_path, wanted) == wanted


@pytest.mark.usefixtures("any_rar_tool")
@pytest.mark.parametrize("kind", MAKERS)
def test_a_rar_with_a_wrong_crc_is_not_unpacked(tmp_path, kind):
    archive = write(tmp_path / "videos.rar", MAKERS[kind](VIDEOS, checksum=123))
    with pytest.raises(UserError, match=r"did not unpack UCF-101/Punch/v_Punch_g01_c01\.avi whole"):
        extracted(archive, tmp_path)
    assert not list(tmp_path.glob("*.avi"))


@pytest.mark.usefixtures("any_rar_tool")
def test_a_cut_rar_is_not_unpacked(tmp_path):
    archive = write(tmp_path / "videos.rar", rar5(VIDEOS)[:-500_000])
    with pytest.raises(UserError, match=r"videos\.rar"):
        sizes(archive)
        extracted(archive, tmp_path)
    assert not list(tmp_path.glob("*.avi"))


def test_a_rar_without_a_program_names_packages(tmp_path, monkeypatch):
    archive = write(tmp_path / "videos.rar", rar5(VIDEOS))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"none is installed\n.*unar.*libarchive-tools"):
        extracted(archive, tmp_path)


def test_the_next_program_is_tried_when_one_fails(tmp_path, monkeypatch):
    archive = write(tmp_path / "videos.rar", rar5(VIDEOS))
    blob = write(tmp_path / "blob", b"".join(VIDEOS.values()))
    tools = {"bad": ("echo", "nonsense"), "good": ("sh", "-c", f"cat {blob}")}
    monkeypatch.setattr(rar_archive, "RAR_TOOLS", tools)
    assert extracted(archive, tmp_path) == VIDEOS
    monkeypatch.setattr(rar_archive, "RAR_TOOLS", {"bad": tools["bad"], "worse": ("false",)})
    shutil.rmtree(tmp_path / "again", ignore_errors=True)
    (tmp_path / "again").mkdir()
    with pytest.raises(UserError, match=r"(?s)is damaged, or it needs another program.*bad did not.*worse did not"):
        extracted(archive, tmp_path / "again")
    assert not any((tmp_path / "again").iterdir())


def test_a_program_that_prints_without_end_is_stopped(tmp_path, monkeypatch):
    archive = write(tmp_path / "videos.rar", rar5(VIDEOS))
    monkeypatch.setattr(rar_archive, "RAR_TOOLS", {"endless": ("yes",)})
    with pytest.raises(UserError, match="endless did not unpack"):
        extracted(archive, tmp_path)


def test_a_program_that_writes_files_does_so_in_a_folder_that_is_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = write(tmp_path / "videos.rar", rar5(VIDEOS))
    monkeypatch.setattr(rar_archive, "RAR_TOOLS", {"writer": ("sh", "-c", "echo > written")})
    with pytest.raises(UserError, match="writer did not unpack"):
        extracted(archive, tmp_path)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(("says", "usable"), [("UNRAR 6.21 freeware, Alexander Roshal", True), ("", False)])
def test_unrar_free_is_not_taken_for_unrar(tmp_path, monkeypatch, says, usable):
    program = write(tmp_path / "unrar", f"#!/bin/sh\necho {says}\n".encode())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert rar_archive.is_installed("unrar", "unrar") == usable


EVIL_NAMES = ["../v_Punch_g01_c01.avi", "a/../../b.avi", "/a/b.avi", "C:/a.avi", "..\\a.avi", "\\a.avi", "C:a.avi"]


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_zip_that_leads_out_of_its_folder_is_refused(tmp_path, name):
    archive = write_zip(tmp_path / "videos.zip", VIDEOS | {name: b"x"})
    with pytest.raises(UserError, match="leads out of the folder"):
        sizes(archive)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", ["../v_Punch_g01_c01.avi", "a/../../b.avi", "/a/b.avi"])
def test_a_rar_that_leads_out_of_its_folder_is_refused(tmp_path, kind, name):
    archive = write(tmp_path / "videos.rar", MAKERS[kind]({name: b"x"}))
    with pytest.raises(UserError, match="leads out of the folder"):
        sizes(archive)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_special_files_in_a_zip_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("UCF101/v_Punch_g01_c01.avi")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    archive = write_zip(tmp_path / "videos.zip", {info: b"/etc/passwd"})
    with pytest.raises(UserError, match=r"v_Punch_g01_c01\.avi is a (link|special file)"):
        sizes(archive)


def test_links_in_a_rar_are_refused(tmp_path):
    name = "UCF-101/v_Punch_g01_c01.avi"
    for content in (rar4({name: b"/etc/passwd"}, mode=LINK), rar5({name: b""}, link="/etc/passwd")):
        archive = write(tmp_path / "videos.rar", content)
        with pytest.raises(UserError, match="is a link"):
            sizes(archive)


def test_a_damaged_zip_member_is_named(tmp_path):
    archive = write_zip(tmp_path / "videos.zip", VIDEOS, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[100_000] ^= 1
    archive.write_bytes(content)
    with pytest.raises(UserError, match=r"v_Punch_g01_c01\.avi is damaged: Bad CRC-32"):
        extracted(archive, tmp_path)


def test_a_cut_zip_is_named(tmp_path):
    archive = write_zip(tmp_path / "videos.zip", VIDEOS)
    archive.write_bytes(archive.read_bytes()[:-1000])
    with pytest.raises(UserError, match=r"videos\.zip is not a whole ZIP archive"):
        sizes(archive)


def test_no_damage_crashes(tmp_path, monkeypatch):
    monkeypatch.setattr(rar_archive, "RAR_TOOLS", {"silent": ("true",)})
    small = {name: content[:100] for name, content in VIDEOS.items()}
    whole = [write_zip(tmp_path / "whole.zip", small).read_bytes(), rar4(small), rar5(small)]
    rng = random.Random(3)
    for number in range(300):
        content = bytearray(whole[number % 3])
        for _ in range(3):
            content[rng.randrange(8, len(content))] = rng.randrange(256)
        try:
            archive = open_archive(write(tmp_path / "damaged", content))
            for member in archive.members():
                archive.extract({member.name: tmp_path / "target"})
                (tmp_path / "target").unlink()
        except UserError:
            (tmp_path / "target").unlink(missing_ok=True)


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = write_zip(tmp_path / "videos.zip", {"a.avi": b"x"}, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.avi is encrypted"):
        sizes(archive)


def test_something_else_is_not_taken_for_an_archive(tmp_path):
    with pytest.raises(UserError, match=r"neither a ZIP nor a RAR.*<html>"):
        open_archive(write(tmp_path / "videos.zip", b"<html>Please log in"))
    with pytest.raises(UserError, match="cannot be read: No such file"):
        open_archive(tmp_path / "absent.zip")


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    archive = write_zip(tmp_path / "bomb.zip", {"a.avi": bytes(5_000_000)})
    (member,) = open_archive(archive).members()
    require_sensible_size(str(archive), archive.stat().st_size, member.size)
    monkeypatch.setattr(archive_members, "LARGEST_SMALL_ARCHIVE", 4_000_000)
    with pytest.raises(UserError, match=r"claim to unpack to 5,000,000"):
        require_sensible_size(str(archive), archive.stat().st_size, member.size)
    require_sensible_size("large", 7 << 30, 8 << 30)


def test_a_zip_member_larger_than_it_claims_is_cut_short(tmp_path):
    content = bytes(1000)
    archive = write_zip(tmp_path / "videos.zip", {"a.avi": content}, zipfile.ZIP_DEFLATED)
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        position = data.index(signature) + offset
        data[position : position + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(data)
    assert zlib.crc32(content[:10]) != zlib.crc32(content)
    with pytest.raises(UserError, match="damaged"):
        extracted(archive, tmp_path, {"a.avi": content})
    assert (tmp_path / "0.avi").stat().st_size <= 10


def test_what_is_a_video():
    assert is_video("UCF101/v_A_g01_c01.avi") and is_video("v_A_g01_c01.AVI") and is_video("UCF101\\v_A_g01_c01.avi")
    assert not any(map(is_video, ["__MACOSX/v_A_g01_c01.avi", "a/._v_A_g01_c01.avi", "README.txt", ".cache/a.avi"]))
