"""When the version of the videos of a class changes, and when it does not."""

import csv
import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from video3d.frames import videos_version as module
from video3d.frames.videos_version import keep_version, videos_version

NAMES = ["v_Punch_g01_c01", "v_Punch_g02_c01", "v_Punch_g03_c01"]


class Class:
    """Three videos and, as an extraction leaves them, a manifest with what is kept beside it."""

    def __init__(self, root: Path):
        self.folder, self.manifest = root / "videos/Punch", root / "frames/Punch.csv"

    def version(self) -> str:
        return videos_version(self.folder, self.manifest)

    def extract(self) -> str:
        """Do what the rule and the script do about versions; return what the workflow has recorded then."""
        version = self.version()
        self.manifest.parent.mkdir(exist_ok=True)
        with self.manifest.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["video", "source"])
            for path in self.folder.glob("*.avi"):
                writer.writerow([path.stem, hashlib.sha256(path.read_bytes()).hexdigest()[:32]])
        keep_version(self.manifest, version, seen=version)
        return version

    def video(self, name: str = NAMES[0]) -> Path:
        return self.folder / f"{name}.avi"


@pytest.fixture
def punch(tmp_path):
    made = Class(tmp_path)
    made.folder.mkdir(parents=True)
    for name in NAMES:
        made.video(name).write_text(f"{name} {'x' * 1000}")
    return made


def overwrite_in_place(punch):
    with punch.video().open("r+") as file:
        file.write("V")


def overwrite_with_an_older_file(punch):
    overwrite_in_place(punch)
    os.utime(punch.video(), (1e9, 1e9))


CHANGES = [
    overwrite_in_place,
    overwrite_with_an_older_file,
    lambda punch: punch.video().write_text("shorter"),
    lambda punch: punch.video().unlink(),
    lambda punch: punch.video("v_Punch_g04_c01").write_text("new"),
    lambda punch: punch.video().rename(punch.video("v_Punch_g04_c01")),
]


@pytest.mark.parametrize("decoded", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_video_changes_the_version_until_it_is_extracted(punch, change, decoded):
    before = punch.extract() if decoded else punch.version()
    change(punch)
    after = punch.version()
    assert after != before
    assert punch.extract() == punch.version() == after


def test_what_is_no_video_does_not_count(punch):
    before = punch.extract()
    punch.folder.joinpath("notes.txt").touch()
    punch.folder.joinpath("v_Punch_g09_c01.avi").mkdir()
    punch.folder.joinpath("v_Punch_g08_c01.avi").symlink_to("gone.avi")
    assert punch.version() == before


def test_other_times_change_nothing_and_the_videos_are_read_once(punch, monkeypatch):
    before = punch.extract()
    for number, name in enumerate(NAMES):
        os.utime(punch.video(name), (number, number))
    read = []
    monkeypatch.setattr(
        module, "sha256", lambda path: read.append(path.name) or hashlib.sha256(path.read_bytes()).hexdigest()
    )
    assert punch.version() == punch.version() == before
    assert read == [f"{name}.avi" for name in reversed(NAMES)]


def test_a_copy_without_times_is_the_same_and_a_change_in_it_counts(punch, tmp_path):
    before = punch.extract()
    shutil.copytree(tmp_path, tmp_path / "copy", copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("copy"))
    copied = Class(tmp_path / "copy")
    assert copied.video().stat().st_mtime_ns != punch.video().stat().st_mtime_ns
    assert copied.version() == before
    overwrite_in_place(copied)
    assert copied.version() != before


def test_videos_that_came_back_are_recognised(punch):
    before = punch.extract()
    content = punch.video().read_text()
    punch.video().write_text("other")
    assert punch.version() != before
    punch.video().write_text(content)
    assert punch.version() == before


def test_links_count_as_what_they_lead_to(punch, tmp_path):
    linked = Class(tmp_path / "linked")
    linked.folder.mkdir(parents=True)
    for name in NAMES:
        linked.video(name).symlink_to(punch.video(name))
    before = linked.extract()
    overwrite_in_place(punch)
    assert linked.version() != before


def test_where_nothing_can_be_written_the_version_is_found_all_the_same(punch, monkeypatch):
    before = punch.extract()
    os.utime(punch.video(), (1, 1))

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assert punch.version() == before


def test_a_call_that_only_looks_keeps_nothing(punch):
    before = punch.extract()
    (record,) = punch.manifest.parent.glob(".*")
    kept = record.read_bytes()
    os.utime(punch.video(), (1, 1))
    assert videos_version(punch.video().parent, punch.manifest, keep=False) == before
    assert record.read_bytes() == kept


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"version": "0"', '{"version": 1}'])
def test_a_damaged_record_counts_as_none(punch, damage):
    before = punch.extract()
    (record,) = punch.manifest.parent.glob(".*")
    record.write_text(damage)
    assert punch.version() == before
    os.utime(punch.video(), (1, 1))
    assert punch.version() != before


def test_a_manifest_that_is_gone_or_damaged_vouches_for_nothing(punch):
    before = punch.extract()
    os.utime(punch.video(), (1, 1))
    punch.manifest.write_text("video,source\nv_Punch_g01_c01,\n")
    assert punch.version() != before
    punch.manifest.unlink()
    assert punch.version() != before


def test_a_class_without_a_folder(tmp_path):
    assert Class(tmp_path).version() == Class(tmp_path / "other").version() != ""
