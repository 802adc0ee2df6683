"""The script that extracts a class: its pack and manifest, and what happens when it is killed."""

import csv
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest

import extract_frames
from extract_frames import extract_class, find_videos
from helpers.paths import PROJECT
from helpers.script_call import call
from helpers.tiny_project import write_video
from video3d.common.errors import UserError
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


def kill_after(rows, videos, pack):
    """Start an extraction and kill it, ffmpeg and all, when `rows` videos are done."""
    journal = pack.with_name(f".{pack.stem}.csv.partial")
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *arguments(videos, pack)], stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if journal.is_file() and journal.read_text().count("\n") >= rows:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not pack.exists(), "it was too fast to be killed"
    return journal


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


def test_killed_extraction_goes_on_after_the_finished_videos(tmp_path):
    videos = tmp_path / "Punch"
    for index in range(1, 21):
        write_video(videos / f"v_Punch_g{index:02d}_c01.avi", seed=index, frames=30)
    assert extract(videos, tmp_path / "whole.zip").returncode == 0
    pack = tmp_path / "Punch.zip"
    done = kill_after(3, videos, pack).read_text().count("\n")
    result = extract(videos, pack, threads=2)
    assert result.returncode == 0, result.stderr
    assert f"{done} videos were finished before" in result.stderr
    assert pack.read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert pack.with_suffix(".csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not list(tmp_path.glob(".*"))


def interrupt_after(finished, videos, pack, monkeypatch):
    """Extract in this process until `finished` videos are done; return the journal that is left."""
    whole_frames = extract_frames.Decoders.frames

    def frames(self, decoding):
        if decoding.video == videos[finished]:
            raise KeyboardInterrupt
        return whole_frames(self, decoding)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(extract_frames.Decoders, "frames", frames)
        extract_class(videos, 24, 3, 1, pack, pack.with_suffix(".csv"))
    return pack.with_name(f".{pack.stem}.csv.partial")


@pytest.mark.parametrize(
    ("change", "finished"),
    [("nothing", 3), ("third video", 2), ("setting", 0), ("half a line", 1), ("no pack", 0), ("damaged pack", 0)],
)
def test_what_is_left_is_used_as_far_as_it_is_valid(punch, tmp_path, monkeypatch, caplog, change, finished):
    caplog.set_level("INFO")
    videos, pack, partial = find_videos(punch), tmp_path / "Punch.zip", tmp_path / ".Punch.zip.partial"
    journal = interrupt_after(3, videos, pack, monkeypatch)
    lines = journal.read_text().splitlines(keepends=True)
    assert len(lines) == 3 and not pack.exists()
    if change == "third video":
        write_video(videos[2], seed=99, frames=31)
    elif change == "half a line":
        journal.write_text("".join(lines[:1]) + lines[1][:50])
    elif change == "no pack":
        partial.unlink()
    elif change == "damaged pack":
        partial.write_bytes(partial.read_bytes().replace(b"\xff\xd9", b"\xff\xd8", 1))
    short_side = 22 if change == "setting" else 24
    extract_class(videos, short_side, 3, 1, pack, pack.with_suffix(".csv"))
    assert [record.args[0] for record in caplog.records if "finished before" in record.msg] == (
        [finished] if finished else []
    )
    extract_class(videos, short_side, 3, 1, tmp_path / "whole.zip", tmp_path / "whole.csv")
    assert pack.read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert pack.with_suffix(".csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_an_error_leaves_nothing_and_keeps_what_was_there(punch, tmp_path, monkeypatch):
    pack, manifest = tmp_path / "frames" / "Punch.zip", tmp_path / "frames" / "Punch.csv"
    extract_class(find_videos(punch), 24, 3, 1, pack, manifest)
    before = pack.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(extract_frames.PackWriter, "_index", full_disk)
    with pytest.raises(OSError, match="No space left"):
        extract_class(find_videos(punch), 24, 3, 1, pack, manifest)
    assert sorted(path.name for path in pack.parent.iterdir()) == ["Punch.csv", "Punch.zip"]
    assert pack.read_bytes() == before


def test_a_class_without_videos(tmp_path):
    pack = tmp_path / "Punch.zip"
    extract_class([], 24, 3, 1, pack, tmp_path / "Punch.csv")
    assert (Pack(pack).videos, manifest_of(pack)) == ({}, {})
    with pytest.raises(UserError, match="no videos of class PushUps"):
        find_videos(tmp_path / "PushUps")


def test_a_missing_class_is_an_error_without_a_traceback(tmp_path):
    result = extract(tmp_path / "PushUps", tmp_path / "PushUps.zip")
    assert result.returncode == 1
    assert result.stderr.startswith("error: there are no videos of class PushUps")
    assert list(tmp_path.iterdir()) == []
