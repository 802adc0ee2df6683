"""Own videos in class folders: what is their class, name and group, and what cannot be a data set."""

import pytest

from video3d.common.errors import UserError
from video3d.dataset.folders import list_videos

PATHS = [
    "跳舞/张 伟/take 10.mp4",
    "跳舞/张 伟/take 9.mp4",
    "跳舞/a.mov",
    "con/anna_1.avi",
    "con/anna_2.avi",
    "con/bob_1.webm",
]


def faults(paths, groups=""):
    with pytest.raises(UserError) as error:
        list_videos(paths, groups)
    return str(error.value).split("\n")


def test_without_groups_every_video_is_its_own():
    videos = list_videos(PATHS)
    assert [video.name for video in videos] == [*PATHS[3:], PATHS[2], PATHS[1], PATHS[0]]
    assert all(video.group == video.name and video.subsets == {} for video in videos)
    assert [video.class_name for video in videos] == ["con"] * 3 + ["跳舞"] * 3


def test_a_regular_expression_names_the_recording():
    videos = list_videos(PATHS, r"^([^_/.]+)")
    assert {video.name: video.group for video in videos} == {
        PATHS[0]: "张 伟", PATHS[1]: "张 伟", PATHS[2]: "a", PATHS[3]: "anna", PATHS[4]: "anna", PATHS[5]: "bob",
    }  # fmt: skip


def test_a_folder_below_the_class_names_the_recording():
    paths = ["a/x/1.mp4", "a/y/z/2.mp4", "b/x/3.mp4"]
    assert [video.group for video in list_videos(paths, 1)] == ["x", "y", "x"]
    assert faults(paths, 2) == [
        "dataset: groups: 2 of 3 videos lie in no folder of level 2: a/x/1.mp4, b/x/3.mp4"
    ]  # fmt: skip


def test_videos_whose_recording_has_no_name_are_named():
    (fault,) = faults(PATHS, r"(anna|bob)?_\d")
    assert fault.startswith("dataset: groups: 3 of 6 videos do not match '(anna|bob)?_") and "跳舞/a.mov" in fault


def test_order_is_that_of_people():
    assert [video.class_name for video in list_videos(["class 10/a.mp4", "class 9/a.mp4"])] == ["class 9", "class 10"]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ([], ["there is no video", "expected <Class>/<any name>"]),
        (["a.mp4", "b.mp4"], ["2 videos lie in no class folder: a.mp4, b.mp4", "there is no video"]),
        (["all/jump/1.mp4", "all/run/2.mp4"], ["one class folder alone, all, and a", "are jump, run the classes?"]),
        (["jump/1.mp4"], ["one class folder alone, jump"]),
        (["train/jump/1.mp4", "Test/jump/2.mp4"], ["Test, train are subsets and no classes"]),
        (["Jump/1.mp4", "jump/2.mp4"], ["Jump and jump look the same to people"]),
        (["\u00e9/1.mp4", "e\u0301/2.mp4"], ["look the same to people"]),
        (["a/1\n.mp4", "b/1.mp4"], [r"1 names hold control characters", r"a/1\n.mp4"]),
        (["-rf/1.mp4", "b/\udcff.mp4"], ["2 names hold control characters, are no UTF-8 or begin with -"]),
        (["x" * 201 + "/1.mp4", "b/1.mp4"], ["longer than 200 characters"]),
    ],
)  # fmt: skip
def test_what_cannot_be_a_data_set_is_said(paths, words):
    said = "\n".join(faults(paths))
    assert all(word in said for word in words), said


def test_all_faults_are_said_at_once():
    assert len(faults(["loose.mp4", "Jump/1.mp4", "jump/a_2.mp4", "b/\x1b.mp4"], r"(a)_")) == 4
