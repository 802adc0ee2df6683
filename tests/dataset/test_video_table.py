"""The table of a data set, and the classes that are chosen from it."""

import pytest

from video3d.common.errors import UserError
from video3d.dataset.ucf101 import CLASSES
from video3d.dataset.video_table import DatasetVideo, classes_of, read_videos, select_classes, write_videos

VIDEOS = [
    DatasetVideo("b/take 1.mp4", "b", 'x, "y"', {1: "train", 3: "test"}),
    DatasetVideo("跳舞/1.mp4", "跳舞", "7", {3: "validation"}),
    DatasetVideo("b/2.mp4", "b", "", {}),
]


def test_what_is_written_is_read(tmp_path):
    write_videos(tmp_path / "videos.csv", VIDEOS)
    assert (tmp_path / "videos.csv").read_text(encoding="utf-8").splitlines() == [
        "video,class,group,split1,split3",
        'b/take 1.mp4,b,"x, ""y""",train,test',
        "跳舞/1.mp4,跳舞,7,,validation",
        "b/2.mp4,b,,,",
    ]
    assert read_videos(tmp_path / "videos.csv") == VIDEOS
    assert classes_of(VIDEOS) == ["b", "跳舞"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,class\na,b\n", "lacks one of the columns video, class, group"),
        ("video,class,group,split1\n", "lists no video"),
        ("video,class,group,split1\na,b,1,tset\n", "a has the subset 'tset'"),
    ],
)
def test_damaged_tables_are_named(tmp_path, text, message):
    (tmp_path / "videos.csv").write_text(text)
    with pytest.raises(UserError, match=rf"videos\.csv.*{message}.*list_videos"):
        read_videos(tmp_path / "videos.csv")


def test_a_choice_of_classes_keeps_the_official_order():
    assert select_classes(CLASSES, []) == list(CLASSES)
    assert select_classes(CLASSES, ["JumpRope", "Archery", "JumpingJack"]) == ["Archery", "JumpingJack", "JumpRope"]


def test_unknown_class_gets_the_nearest_spelling():
    with pytest.raises(UserError, match="no class pushups, did you mean PushUps"):
        select_classes(CLASSES, ["Punch", "pushups"])
    with pytest.raises(UserError, match=r"no class Zzz; the data set has 101 classes"):
        select_classes(CLASSES, ["Zzz"])
    with pytest.raises(UserError, match=r"and 97 more; the data set has 1 classes: Other"):
        select_classes(["Other"], CLASSES[:100])
