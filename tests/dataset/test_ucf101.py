"""UCF101's names and lists, with every trap that its files hold."""

import re

import pytest

from video3d.common.errors import UserError
from video3d.dataset.ucf101 import (
    CLASSES,
    ListedVideo,
    VideoName,
    list_videos,
    read_class_index,
    read_list,
    read_official_split,
)


def write_lists(folder, **texts):
    files = {
        "classInd": "1 JumpingJack\r\n2 JumpRope\r\n",
        "trainlist01": "JumpingJack/v_JumpingJack_g02_c01.avi 1\r\nJumpRope/v_JumpRope_g02_c01.avi 2\r\n",
        "testlist01": "JumpRope/v_JumpRope_g01_c01.avi\r\n",
    }
    for name, text in (files | texts).items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    return folder


def test_class_names_are_those_of_the_official_index(official_lists):
    assert len(CLASSES) == 101
    assert tuple(read_class_index(official_lists)) == CLASSES


def test_order_of_labels_ignores_case():
    """A plain sort puts JumpRope before JumpingJack, and so shifts labels."""
    assert CLASSES.index("JumpingJack") == 46
    assert CLASSES.index("JumpRope") == 47
    assert list(CLASSES) != sorted(CLASSES)


@pytest.mark.parametrize(
    ("split", "train", "test", "groups"),
    [(1, 9537, 3783, range(1, 8)), (2, 9586, 3734, range(8, 15)), (3, 9624, 3696, range(15, 22))],
)
def test_official_splits(official_lists, split, train, test, groups):
    training, testing = read_official_split(official_lists, split)
    assert (len(training), len(testing)) == (train, test)
    assert {video.group for video in testing} == set(groups)
    assert not {video.video for video in training} & {video.video for video in testing}
    assert not {video[1:3] for video in training} & {video[1:3] for video in testing}
    assert len({video.video for video in training + testing}) == 13_320
    assert {(video.label, video.class_name) for video in training} == set(enumerate(CLASSES))
    assert {(video.label, video.class_name) for video in testing} == set(enumerate(CLASSES))


def test_handstand_pushups_have_two_spellings(official_lists):
    assert VideoName.parse("v_HandStandPushups_g01_c04") == ("HandstandPushups", 1, 4)
    videos = [
        video for part in read_official_split(official_lists, 1) for video in part if "StandPushups" in video.video
    ]
    assert {(video.class_name, video.label) for video in videos} == {("HandstandPushups", 36)}


def test_name_of_a_video():
    assert VideoName.parse("v_YoYo_g25_c07") == VideoName("YoYo", 25, 7)


@pytest.mark.parametrize("name", ["YoYo_g25_c07", "v_YoYo_25_07", "v_YoYo_g25_c07.avi", "v_g01_c01", "../v_YoYo_g1_c1"])
def test_other_names_are_refused(name):
    with pytest.raises(UserError, match=re.escape(repr(name))):
        VideoName.parse(name)


def test_lists_in_the_official_format(tmp_path):
    train, test = read_official_split(write_lists(tmp_path), 1)
    assert train[1] == ListedVideo("v_JumpRope_g02_c01", "JumpRope", 2, 1)
    assert test == [ListedVideo("v_JumpRope_g01_c01", "JumpRope", 1, 1)]
    assert read_list(tmp_path / "testlist01.txt")[0].label is None


@pytest.mark.parametrize("change", [lambda t: t.replace("\r\n", "\n"), lambda t: "\ufeff" + t + "\r\n\r\n", str.rstrip])
def test_line_ends_do_not_matter(tmp_path, change):
    plain = read_official_split(write_lists(tmp_path), 1)
    changed = {path.stem: change(path.read_bytes().decode()) for path in tmp_path.iterdir()}
    assert read_official_split(write_lists(tmp_path, **changed), 1) == plain


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"classInd": ""}, "names no class"),
        ({"classInd": "0 JumpingJack\n1 JumpRope\n"}, r"line 1: expected '1 <class name>'"),
        ({"classInd": "1 JumpingJack\n3 JumpRope\n"}, r"line 2: expected '2 <class name>'"),
        ({"classInd": "1 JumpRope\n2 JumpRope\n"}, "line 2: class JumpRope is listed twice"),
        ({"classInd": "1 JumpRope\n2 JumpingJack\n"}, r"has label 1, by classInd.txt it is 2"),
        ({"classInd": "1 JumpingJack\n"}, "JumpRope, which classInd.txt does not have"),
        ({"trainlist01": "v_JumpRope_g02_c01.avi 2\n"}, "trainlist01.txt line 1: expected '<Class>/<video>.avi'"),
        ({"trainlist01": "JumpRope/v_JumpRope_g02_c01.avi two\n"}, "line 1: expected"),
        ({"trainlist01": "JumpRope/v_JumpingJack_g02_c01.avi 2\n"}, "folder of another class"),
        (
            {"trainlist01": "JumpRope/v_JumpRope_g02_c01.avi 2\n" * 2},
            "line 2: video v_JumpRope_g02_c01 is listed twice",
        ),
        ({"trainlist01": "JumpRope/v_JumpRope_g01_c01.avi 2\n"}, "share 1 group.*JumpRope g01"),
        ({"trainlist01": "JumpRope/v_JumpRope_g01_c02.avi 2\n"}, "share 1 group.*JumpRope g01"),
    ],
)
def test_wrong_lists_are_named(tmp_path, texts, message):
    with pytest.raises(UserError, match=message):
        read_official_split(write_lists(tmp_path, **texts), 1)


def test_missing_and_binary_lists(tmp_path):
    with pytest.raises(UserError, match=r"trainlist02.txt does not exist"):
        read_official_split(write_lists(tmp_path), 2)
    (tmp_path / "testlist01.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not a text file"):
        read_list(tmp_path / "testlist01.txt")


def test_the_table_has_every_listed_video_by_label_group_and_name(tmp_path):
    lists = write_lists(
        tmp_path,
        trainlist01="JumpRope/v_JumpRope_g10_c01.avi 2\nJumpRope/v_JumpRope_g9_c01.avi 2\n",
        testlist01="JumpingJack/v_JumpingJack_g02_c01.avi\n",
        trainlist02="JumpingJack/v_JumpingJack_g02_c01.avi 1\n",
        testlist02="JumpRope/v_JumpRope_g10_c01.avi\n",
    )
    assert list_videos(lists) == [
        ("v_JumpingJack_g02_c01", "JumpingJack", "2", {1: "test", 2: "train"}),
        ("v_JumpRope_g9_c01", "JumpRope", "9", {1: "train"}),
        ("v_JumpRope_g10_c01", "JumpRope", "10", {1: "train", 2: "test"}),
    ]


def test_the_table_of_the_official_lists(official_lists):
    videos = list_videos(official_lists)
    assert len(videos) == 13_320
    assert (videos[0].name, videos[-1].name) == ("v_ApplyEyeMakeup_g01_c01", "v_YoYo_g25_c05")
    assert videos[0].subsets == {1: "test", 2: "train", 3: "train"}
    counts = [sum(video.subsets[split] == "test" for video in videos) for split in (1, 2, 3)]
    assert counts == [3783, 3734, 3696]


def test_lists_of_no_split_are_named(tmp_path):
    (tmp_path / "classInd.txt").write_text("1 Archery\n")
    with pytest.raises(UserError, match="holds no trainlist"):
        list_videos(tmp_path)
