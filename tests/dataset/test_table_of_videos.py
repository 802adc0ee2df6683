"""Tables of own videos: what they say, and every mistake in them with its line."""

import pytest

from video3d.common.errors import UserError
from video3d.dataset.table_of_videos import is_table, list_videos


@pytest.fixture
def table(tmp_path):
    """A function that writes a table beside some videos."""
    for name in ("a.mp4", "b 1.MOV", "deep/c.webm", "跳.avi", "notes.txt"):
        (tmp_path / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clips" / name).touch()

    def write(text, encoding="utf-8"):
        path = tmp_path / "clips" / "my table.csv"
        path.write_text(text.replace("{here}", str(tmp_path / "clips")), encoding=encoding)
        return path

    return write


def faults(path):
    with pytest.raises(UserError) as error:
        list_videos(path)
    return str(error.value).replace(f"{path}: ", "").split("\n")


def test_path_and_class_are_enough(table):
    videos = list_videos(table("path,class\nb 1.MOV,run\n{here}/a.mp4,jump\n../clips/deep/c.webm,jump\n跳.avi,run\n"))
    assert [(video.name.rpartition("/")[2], video.class_name) for video in videos] == [
        ("c.webm", "jump"), ("a.mp4", "jump"), ("b 1.MOV", "run"), ("跳.avi", "run")
    ]  # fmt: skip
    assert all(video.group == video.name and video.subsets == {} for video in videos)


def test_groups_and_splits_as_a_spreadsheet_saves_them(table):
    head = "class,path,remark,group,split1,split3\r\n"
    text = head + 'jump,a.mp4,"x, y",take 10,train,test\r\njump,deep/c.webm,,take 9,,train\r\n'
    videos = list_videos(table(text, "utf-8-sig"))
    assert videos == [
        ("deep/c.webm", "jump", "take 9", {3: "train"}),
        ("a.mp4", "jump", "take 10", {1: "train", 3: "test"}),
    ]


def test_one_split_needs_no_number(table):
    assert list_videos(table("path,class,split\na.mp4,x,validation\n"))[0].subsets == {1: "validation"}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("path,label", "has to name the columns path, class"),
        ("path,class,class", "each once"),
        ("path,class,split,split1", "each once"),
        ("path,class,Split1", "there is no column Split1"),
        ("path,class,split0", "there is no column split0"),
        ("path,class,groups", "there is no column groups"),
        ("", "has to name the columns"),
    ],
)
def test_columns_that_are_not_there(table, head, words):
    assert words in faults(table(f"{head}\na.mp4,x,1,2\n"))[0]


def test_every_mistake_is_told_at_once_with_its_line(table):
    said = faults(
        table(
            "path,class,group,split1\na.mp4,jump,x,train\nb 1.MOV,jump,x,test\ngone.mp4,run,y,Train\n"
            "notes.txt,run,z,train\na.mp4,run,x,train\n,run,,\n\x1b.mp4,run,,\ndeep,Jump,,\n/nowhere/a.mp4,a/b,,\n"
        )
    )
    for words in (
        "line 4: gone.mp4 does not exist in ",
        "line 4: Train is no subset; expected train, validation, test or nothing",
        "line 5: notes.txt does not end as a video does",
        "line 6: a.mp4 is listed in line 2 already",
        "line 7: path and class have to be given",
        r"line 8: the path \x1b.mp4 holds control characters",
        "line 9: deep does not end as a video does",
        "line 10: /nowhere/a.mp4 does not exist",
        "the classes Jump and jump look the same to people",
        "1 classes have control characters, / or a first - in their names: a/b",
        "group x is in train (line 2) and in test (line 3) of split 1; a group has to be whole in one of them",
    ):
        assert any(words in line for line in said), (words, said)


def test_what_is_no_table_is_said(table, tmp_path):
    assert "lists no video" in faults(table("path,class\n"))[0]
    path = table("")
    path.write_bytes(b"path,class\n\xff\xfe,x\n")
    assert "cannot be read as a CSV file in UTF-8" in faults(path)[0]
    (tmp_path / "folder.csv").mkdir()
    assert is_table(path) and not is_table(tmp_path / "folder.csv") and not is_table(tmp_path / "a.zip")
