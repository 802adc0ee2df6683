"""The audit names what is wrong with every listed video."""

import csv

import pytest

from audit import audit_videos, format_audit, main
from helpers.script_call import call
from video3d.dataset.safe_names import safe_name
from video3d.dataset.ucf101 import list_videos
from video3d.dataset.video_table import DatasetVideo, classes_of, write_videos

MANIFEST = """video,frames,fps,width,height,bytes,status,message,content
v_Punch_g01_c01,100,25.0,32,24,5000,ok,,aaaa
v_Punch_g02_c01,0,0.0,0,0,0,unreadable,"Error, Invalid data found",
v_Punch_g03_c01,7,25.0,32,24,500,ok,,bbbb
v_Punch_g04_c01,60,25.0,32,24,500,damaged,[mpeg4] Error at MB: 113,cccc
v_Punch_g05_c01,100,25.0,32,24,5000,ok,,aaaa
v_Punch_g07_c01,16,25.0,32,24,500,ok,,dddd
v_Punch_g26_c01,90,25.0,32,24,500,ok,,eeee
"""
PUSHUPS = """video,frames,fps,width,height,bytes,status,message,content
v_HandStandPushups_g01_c01,100,25.0,32,24,5000,ok,,aaaa
"""


@pytest.fixture
def data(tmp_path):
    """Lists of two classes (and one that is not audited), and their manifests."""
    lists, frames = tmp_path / "lists", tmp_path / "frames"
    lists.mkdir()
    frames.mkdir()
    (lists / "classInd.txt").write_text("1 Archery\r\n2 HandstandPushups\r\n3 Punch\r\n")
    (lists / "testlist01.txt").write_text("Punch/v_Punch_g01_c01.avi\r\nPunch/v_Punch_g02_c01.avi\r\n")
    train = [f"Punch/v_Punch_g{group:02d}_c01.avi 3" for group in range(3, 8)]
    train += ["HandstandPushups/v_HandStandPushups_g01_c01.avi 2", "Archery/v_Archery_g03_c01.avi 1"]
    (lists / "trainlist01.txt").write_text("\r\n".join(train))
    (frames / "Punch.csv").write_text(MANIFEST)
    (frames / "HandstandPushups.csv").write_text(PUSHUPS)
    write_videos(tmp_path / "videos.csv", list_videos(lists))
    return tmp_path


def run_audit(data, *classes, settings="{clip: {frames: 16}}"):
    files = ["--videos", data / "videos.csv", "--frames", data / "frames", "--output", data / "audit.csv"]
    return call(main, *files, "--classes", *classes, "--settings", settings)


def test_every_listed_video_is_judged(data):
    result = run_audit(data, "Punch", "HandstandPushups")
    assert result.returncode == 0, result.stderr
    with (data / "audit.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["video", "class", "group", "status", "frames", "message"],
        ["v_HandStandPushups_g01_c01", "HandstandPushups", "1", "ok", "100", ""],
        ["v_Punch_g01_c01", "Punch", "1", "duplicate", "100", "same frames as v_HandStandPushups_g01_c01"],
        ["v_Punch_g02_c01", "Punch", "2", "unreadable", "0", "Error, Invalid data found"],
        ["v_Punch_g03_c01", "Punch", "3", "short", "7", "7 frames, a clip takes 16"],
        ["v_Punch_g04_c01", "Punch", "4", "damaged", "60", "[mpeg4] Error at MB: 113"],
        ["v_Punch_g05_c01", "Punch", "5", "duplicate", "100", "same frames as v_HandStandPushups_g01_c01"],
        ["v_Punch_g06_c01", "Punch", "6", "missing", "0", "listed, but not among the videos"],
        ["v_Punch_g07_c01", "Punch", "7", "ok", "16", ""],
        ["v_Punch_g26_c01", "Punch", "", "unlisted", "90", "no list names it; it is not used"],
    ]
    table = {line.split()[0]: line.split()[1:] for line in result.stderr.splitlines() if line and line[0] != "v"}
    assert table["class"] == ["ok", "missing", "unreadable", "damaged", "duplicate", "short", "unlisted"]
    assert table["Punch"] == ["1", "1", "1", "1", "2", "1", "1"]
    assert table["HandstandPushups"] == ["1", "·", "·", "·", "·", "·", "·"]
    assert table["all"][1:] == ["2", "1", "1", "1", "2", "1", "1"]
    assert "v_Punch_g04_c01: damaged: [mpeg4] Error at MB: 113" in result.stderr


def test_short_depends_on_the_clip(data):
    run_audit(data, "Punch", settings="{clip: {frames: 4}}")
    assert "short" not in (data / "audit.csv").read_text()


def test_all_official_videos_are_listed(official_lists):
    listed = list_videos(official_lists)
    missing = audit_videos(listed, {name: {} for name in classes_of(listed)}, 16)
    assert {row.status for row in missing} == {"missing"}
    assert len(format_audit(missing).splitlines()) == 1 + 101 + 1 + 13_320


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: (data / "frames/Punch.csv").unlink(), "Punch.csv does not exist: make it with extract_frames"),
        (lambda data: (data / "frames/Punch.csv").write_text("video\nv_Punch_g01_c01\n"), "lacks one of the columns"),
        (
            lambda data: (data / "videos.csv").write_text("video,class,group\na,Puncn,1\n"),
            "no class Punch, did you mean Puncn?",
        ),
        (lambda data: (data / "videos.csv").unlink(), "videos.csv does not exist: make it with list_videos"),
    ],
)
def test_wrong_input_is_named_and_nothing_is_written(data, damage, message):
    damage(data)
    result = run_audit(data, "Punch")
    assert result.returncode == 1
    assert message in result.stderr and "Traceback" not in result.stderr
    assert not (data / "audit.csv").exists()


def test_names_that_no_file_can_have_are_found_by_those_on_disk(data):
    """Two classes have a video of one name, and the manifests know all by their names on disk."""
    names = ["Räder?/1.mp4", "../1.mp4"]
    listed = [DatasetVideo(name, class_name, "", {1: "test"}) for name in names for class_name in ("Räder?", "con")]
    write_videos(data / "videos.csv", listed[:1] + listed[3:])
    for video, frames in ((listed[0], 20), (listed[3], 30)):
        row = f"{safe_name(video.name)},{frames},25.0,32,24,1,ok,,{frames}\n"
        (data / f"frames/{safe_name(video.class_name)}.csv").write_text(MANIFEST.splitlines()[0] + "\n" + row)
    assert run_audit(data, "Räder?", "con").returncode == 0
    assert (data / "audit.csv").read_text().splitlines()[1:] == ["Räder?/1.mp4,Räder?,,ok,20,", "../1.mp4,con,,ok,30,"]
