"""Split tables: labels, subsets, faults and validation groups, on the official lists and on small ones."""

import csv
from collections import Counter

import pytest

import export_lists
import make_splits
from export_lists import annotation_lists
from helpers.script_call import call
from make_splits import apply_audit, make_split, require_videos
from video3d.dataset.audit_table import AuditedVideo
from video3d.dataset.ucf101 import CLASSES, list_videos
from video3d.dataset.video_table import write_videos

CLASS_NAMES = ["Archery", "HandstandPushups", "Punch"]
VIDEO_NAMES = {"HandstandPushups": "HandStandPushups"}


def video(name, group):
    return f"v_{VIDEO_NAMES.get(name, name)}_g{group:02d}_c01"


@pytest.fixture
def data(tmp_path):
    """Lists of three classes with five groups, the first of them the test group; an audit in which all is ok."""
    train, test, audited = [], [], ["video,class,group,status,frames,message"]
    for label, name in enumerate(CLASS_NAMES, 1):
        for group in range(1, 6):
            listed = f"{name}/{video(name, group)}.avi"
            if group == 1:
                test.append(listed)
            else:
                train.append(f"{listed} {label}")
            audited.append(f"{video(name, group)},{name},{group},ok,{100 * label + group},")
    (tmp_path / "classInd.txt").write_text("\r\n".join(f"{n} {name}" for n, name in enumerate(CLASS_NAMES, 1)))
    (tmp_path / "trainlist01.txt").write_text("\r\n".join(train))
    (tmp_path / "testlist01.txt").write_text("\r\n".join(test))
    (tmp_path / "audit.csv").write_text("\n".join(audited) + "\n")
    return tmp_path


def spoil(data, name, group, status, message="why"):
    path = data / "audit.csv"
    lines = path.read_text().splitlines()
    changed = f"{video(name, group)},{name},{group},{status},0,{message}"
    lines = [changed if line.startswith(f"{video(name, group)},") else line for line in lines]
    path.write_text("\n".join(lines) + "\n")


def run(data, classes=CLASS_NAMES, faulty="stop", validation=(), split=1):
    write_videos(data / "videos.csv", list_videos(data))
    settings = f"{{dataset: {{faulty_videos: {faulty}}}, validation_groups: [{', '.join(map(str, validation))}]}}"
    files = [
        "--videos",
        data / "videos.csv",
        "--classes",
        *classes,
        "--audit",
        data / "audit.csv",
        "--output",
        data / "split1.csv",
    ]
    files += ["--left-out", data / "split1_left_out.csv"]
    return call(make_splits.main, *files, "--split", split, "--settings", settings)


def table(data, name="split1.csv"):
    with (data / name).open(newline="") as file:
        return list(csv.reader(file))


def test_table_of_a_split(data):
    result = run(data)
    assert result.returncode == 0, result.stderr
    rows = table(data)
    assert rows[0] == ["video", "class", "label", "group", "subset", "frames"]
    assert rows[1] == ["v_Archery_g02_c01", "Archery", "0", "2", "train", "102"]
    assert rows[5] == ["v_HandStandPushups_g02_c01", "HandstandPushups", "1", "2", "train", "202"]
    assert rows[-1] == ["v_Punch_g01_c01", "Punch", "2", "1", "test", "301"]
    assert Counter(row[4] for row in rows[1:]) == {"train": 12, "test": 3}
    assert table(data, "split1_left_out.csv") == [["video", "class", "group", "subset", "status", "message"]]


def test_labels_of_a_subset_of_classes_follow_the_official_order(data):
    run(data, ["Punch", "Archery"])
    assert {(row[1], row[2]) for row in table(data)[1:]} == {("Archery", "0"), ("Punch", "1")}


def test_faults_stop_and_are_all_named(data):
    spoil(data, "Punch", 2, "unreadable", "Invalid data found when processing input")
    spoil(data, "Archery", 1, "damaged", "Error at MB: 3")
    spoil(data, "Archery", 5, "missing")
    result = run(data)
    assert result.returncode == 1
    assert "3 of 15 listed videos are faulty" in result.stderr
    assert "v_Punch_g02_c01: unreadable: Invalid data found when processing input" in result.stderr
    assert "v_Archery_g01_c01: damaged: Error at MB: 3" in result.stderr
    assert "v_Archery_g05_c01: missing" in result.stderr
    assert "faulty_videos: leave_out" in result.stderr and "Traceback" not in result.stderr
    assert not list(data.glob("split1*"))


def test_faults_left_out_are_counted_and_kept_apart(data):
    spoil(data, "Punch", 2, "unreadable", "Invalid data found")
    spoil(data, "Archery", 5, "missing", "listed")
    result = run(data, faulty="leave_out", validation=[5])
    assert result.returncode == 0 and "left out: 2 of 15 videos" in result.stderr
    assert "v_Punch_g02_c01: unreadable: Invalid data found" in result.stderr
    assert len(table(data)) == 1 + 13
    assert table(data, "split1_left_out.csv")[1:] == [
        ["v_Archery_g05_c01", "Archery", "5", "validation", "missing", "listed"],
        ["v_Punch_g02_c01", "Punch", "2", "train", "unreadable", "Invalid data found"],
    ]


@pytest.mark.parametrize("status", ["short", "duplicate"])
def test_what_is_only_worth_knowing_is_used(data, status):
    spoil(data, "Punch", 2, status)
    assert run(data).returncode == 0
    assert len(table(data)) == 1 + 15


def test_class_that_is_missing_altogether_takes_one_line(data):
    for group in range(1, 6):
        spoil(data, "Punch", group, "missing")
    result = run(data)
    assert "class Punch: all 5 videos are missing" in result.stderr and "v_Punch" not in result.stderr
    result = run(data, faulty="leave_out")
    assert result.returncode == 1 and "nothing to train on: no usable video of class Punch" in result.stderr


def test_a_class_whose_test_videos_are_all_faulty_is_said(data):
    spoil(data, "Punch", 1, "missing")
    result = run(data, faulty="leave_out")
    assert result.returncode == 0 and "no test video of class Punch is left" in result.stderr


def test_test_videos_that_are_all_faulty(data):
    for name in CLASS_NAMES:
        spoil(data, name, 1, "missing")
    result = run(data, faulty="leave_out")
    assert result.returncode == 1 and "this split is empty: no usable test video" in result.stderr


@pytest.mark.parametrize("name", ["trainlist01.txt", "testlist01.txt"])
def test_an_empty_split_is_refused(data, name):
    (data / name).write_text("")
    result = run(data)
    assert result.returncode == 1 and "this split is empty" in result.stderr and name[:4] in result.stderr
    assert not list(data.glob("split1*"))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1], "validation_groups: 1 not in the training list, whose groups are 2–5"),
        ([2, 26, 77], "validation_groups: 26, 77 not in the training list"),
        ([2, 3, 4, 5], "nothing is left to train on"),
    ],
)
def test_wrong_validation_groups(data, groups, message):
    result = run(data, validation=groups)
    assert result.returncode == 1 and message in result.stderr
    assert not list(data.glob("split1*"))


def test_unknown_class_and_split(data):
    assert "no class Punhc, did you mean Punch?" in run(data, ["Punhc"]).stderr
    assert "there is no split 4; the data set has 1" in run(data, split=4).stderr


def test_outdated_audit(data):
    (data / "audit.csv").write_text("video,class,group,status,frames,message\n")
    assert "the audit does not know v_Archery_g02_c01" in run(data).stderr
    (data / "audit.csv").unlink()
    assert "make it with audit" in run(data).stderr


@pytest.mark.parametrize("split", [1, 2, 3])
def test_no_group_crosses_on_the_official_lists(official_lists, split):
    videos = list_videos(official_lists)
    rows = make_split(videos, split, CLASSES, [22, 23])
    groups = {subset: set() for subset in ("train", "validation", "test")}
    for row in rows:
        groups[row.subset].add((row.class_name, row.group))
    assert not groups["train"] & groups["validation"]
    assert not groups["train"] & groups["test"]
    assert not groups["validation"] & groups["test"]
    assert {group for _, group in groups["validation"]} == {"22", "23"} and len(groups["validation"]) == 2 * 101
    assert {(row.class_name, row.group) for row in rows if row.subset == "test"} == {
        (video.class_name, video.group) for video in videos if video.subsets[split] == "test"
    }
    usable, faulty = apply_audit(
        rows, {row.name: AuditedVideo(row.name, row.class_name, row.group, "ok", 30, "") for row in rows}
    )
    require_videos(usable, CLASSES)
    assert (len(usable), faulty) == (13_320, [])


def test_annotation_lists_of_other_tools(data):
    run(data, validation=[4])
    lists = annotation_lists(data / "split1.csv")
    assert lists["train"][:2] == ["Archery/v_Archery_g02_c01 102 0", "Archery/v_Archery_g03_c01 103 0"]
    assert lists["validation"] == [
        "Archery/v_Archery_g04_c01 104 0",
        "HandstandPushups/v_HandStandPushups_g04_c01 204 1",
        "Punch/v_Punch_g04_c01 304 2",
    ]
    arguments = "--split-table", data / "split1.csv", "--output", data / "annotations"
    assert call(export_lists.main, *arguments).returncode == 0
    assert {path.name for path in (data / "annotations").iterdir()} == {
        "split1_train.txt", "split1_validation.txt", "split1_test.txt"
    }  # fmt: skip
    assert (data / "annotations/split1_test.txt").read_text().splitlines() == lists["test"]
