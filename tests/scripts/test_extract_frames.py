"""The script that extracts a class: its pack and manifest, and what happens when it is killed."""

import csv
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile

import pytest

import extract_frames
from extract_frames import extract_class, list_videos
from helpers.paths import PROJECT
from helpers.script_call import call
from helpers.tiny_project import write_video
from video3d.common.errors import UserError
from video3d.common.files import remove_abandoned
from video3d.frames.frame_pack import Pack

SCRIPT = PROJECT / "workflow_scripts" / "extract_frames.py"


@pytest.fixture
def punch(tmp_path):
    """Six videos of class Punch: the 4th is empty, the last belongs to another list."""
    folder = tmp_path / "videos" / "Punch"
    for index in range(1, 7):
        write_video(folder / f"v_Punch_g{index:02d}_c01.avi", seed=index, frames=10 * index)
    (folder / "v_Punch_g04_c01.avi").write_bytes(b"")
    (folder / "notes.txt").write_text("no video")
    (folder / "v_Punch_g09_c03").mkdir()
    return folder


def arguments(videos, pack, threads=1):
    files = ["--videos", videos, "--pack", pack, "--manifest", pack.with_suffix(".csv")]
    return [*files, "--settings", "{frames: {short_side: 24}}", "--threads", str(threads)]


def extract(videos, pack, threads=1):
    return call(extract_frames.main, *arguments(videos, pack, threads))


def manifest_of(pack):
    with pack.with_suffix(".csv").open(newline="") as file:
        return {row["video"]: row for row in csv.DictReader(file)}


def test_pack_and_manifest_agree(punch, tmp_path):
    pack = tmp_path / "frames" / "Punch.zip"
    result = extract(punch, pack, threads=3)
    assert result.returncode == 0, result.stderr
    rows = manifest_of(pack)
    assert list(rows) == [f"v_Punch_g{index:02d}_c01" for index in range(1, 7)]
    header = pack.with_suffix(".csv").read_text().splitlines()[0]
    assert header == "video,frames,fps,width,height,bytes,status,message,content,source"
    assert Pack(pack).videos == {name: int(row["frames"]) for name, row in rows.items() if row["status"] == "ok"}
    assert [int(row["frames"]) for row in rows.values()] == [10, 20, 30, 0, 50, 60]
    with zipfile.ZipFile(pack) as archive:
        for name, row in rows.items():
            sizes = [member.file_size for member in archive.infolist() if member.filename.startswith(f"{name}/")]
            assert (len(sizes), sum(sizes)) == (int(row["frames"]), int(row["bytes"]))
        archive.extractall(tmp_path / "raw")
    names = sorted(path.name for path in (tmp_path / "raw" / "v_Punch_g02_c01").iterdir())
    assert names == [f"img_{index:05d}.jpg" for index in range(1, 21)]
    assert "6 videos, 170 frames" in result.stderr
    assert "v_Punch_g04_c01 is unreadable after 0 frames: " in result.stderr
    assert "Invalid data found" in rows["v_Punch_g04_c01"]["message"]
    assert sorted(path.name for path in pack.parent.iterdir()) == ["Punch.csv", "Punch.zip"]


def test_what_is_written_does_not_depend_on_time_and_threads(punch, tmp_path):
    one, other = tmp_path / "one" / "Punch.zip", tmp_path / "other" / "Punch.zip"
    extract_class(list_videos(punch), 24, 85, 1, one, one.with_suffix(".csv"))
    for path in punch.glob("*.avi"):
        os.utime(path, (1, 1))
    time.sleep(2.1)  # the dates of a ZIP count in steps of two seconds
    extract_class(list_videos(punch), 24, 85, 3, other, other.with_suffix(".csv"))
    assert other.read_bytes() == one.read_bytes()
    assert other.with_suffix(".csv").read_bytes() == one.with_suffix(".csv").read_bytes()


def test_a_killed_extraction_starts_anew_and_what_it_left_goes_with_the_next_run(tmp_path):
    videos = tmp_path / "videos" / "Punch"
    for index in range(1, 21):
        write_video(videos / f"v_Punch_g{index:02d}_c01.avi", seed=index, frames=30)
    pack = tmp_path / "frames" / "Punch.zip"
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *arguments(videos, pack)], stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None and not list(pack.parent.glob(".Punch.zip.*")):
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not pack.exists(), "it was too fast to be killed"
    assert [path.suffix for path in pack.parent.iterdir()] == [".part"]
    (pack.parent / ".Punch.csv.partial").touch()  # what version 0.1 left
    remove_abandoned(tmp_path)
    assert extract(videos, pack, threads=2).returncode == 0
    assert sorted(path.name for path in pack.parent.iterdir()) == ["Punch.csv", "Punch.zip"]
    assert len(Pack(pack).videos) == 20


def test_an_error_leaves_nothing_and_keeps_what_was_there(punch, tmp_path):
    pack, manifest = tmp_path / "frames" / "Punch.zip", tmp_path / "frames" / "Punch.csv"
    extract_class(list_videos(punch), 24, 85, 1, pack, manifest)
    before = pack.read_bytes(), manifest.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before[0]) // 2, limits[1]))
    try:
        with pytest.raises(UserError, match=r"Punch\.zip could not be written: File too large"):
            extract_class(list_videos(punch), 24, 85, 1, pack, manifest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in pack.parent.iterdir()) == ["Punch.csv", "Punch.zip"]
    assert (pack.read_bytes(), manifest.read_bytes()) == before


def test_a_class_without_videos(tmp_path):
    pack = tmp_path / "Punch.zip"
    extract_class([], 24, 3, 1, pack, tmp_path / "Punch.csv")
    assert (Pack(pack).videos, manifest_of(pack)) == ({}, {})
    with pytest.raises(UserError, match="no videos of class PushUps"):
        list_videos(tmp_path / "PushUps")


def test_a_missing_class_is_an_error_without_a_traceback(tmp_path):
    result = extract(tmp_path / "PushUps", tmp_path / "PushUps.zip")
    assert result.returncode == 1
    assert result.stderr.startswith("error: there are no videos of class PushUps")
    assert list(tmp_path.iterdir()) == []
