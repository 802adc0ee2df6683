"""Own videos in folders and archives: which files are found, and where they are put."""

import zipfile
from pathlib import Path

import pytest

import list_videos
import unpack
from helpers.script_call import call
from video3d.common.errors import UserError
from video3d.common.settings import DatasetSettings
from video3d.dataset.video_table import read_videos
from video3d.fetch.class_names import class_names
from video3d.fetch.own_videos import find_videos, place_of, version_of_names
from video3d.fetch.sources import DataSource
from video3d.fetch.unpacked import are_own_videos_linked

FILES = ["爬 行/a.mp4", "爬 行/a.MOV", "爬 行/deep/er/a.mp4", "con/..mkv", 'con/it\'s "x".webm', "con/{y}.avi"]
OTHERS = ["爬 行/.DS_Store", "con/poster.jpg", "con/._a.mp4", ".git/x/a.mp4", "notes.txt", "con/mp4"]


@pytest.fixture
def own(tmp_path):
    """A folder with own videos and what lies between them."""
    for name in [*FILES, *OTHERS]:
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    find_videos.cache_clear()
    return tmp_path / "own"


def test_videos_are_found_in_any_depth_and_container(own):
    assert set(find_videos(own)) == {name for name in FILES if name != "con/..mkv"}


@pytest.mark.parametrize("front", ["", "my videos/", "__MACOSX"])
def test_an_archive_may_have_a_folder_around_all(tmp_path, own, front):
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for name in find_videos(own):
            archive.write(own / name, name if front == "__MACOSX" else front + name)
        if front == "__MACOSX":
            archive.writestr("__MACOSX/con/a.mp4", "")
    assert set(find_videos(tmp_path / "own.zip")) == set(find_videos(own))


def test_places_are_safe_and_differ():
    places = [
        place_of(name.partition("/")[0], name)
        for name in [*FILES, "../../etc/passwd.mp4", "爬 行/" + "长" * 80 + ".mp4"]
    ]
    assert len({str(place).lower() for place in places}) == len(places)
    for place in places:
        assert len(place.parts) == 2 and place.suffix in {".mp4", ".mov", ".mkv", ".webm", ".avi"}
        assert all(part.strip(". ") == part and len(part.encode()) < 220 for part in place.parts)


def unpacked(tmp_path, own, *classes):
    table, videos = tmp_path / "data" / "table.csv", tmp_path / "data" / "videos"
    result = call(unpack.main, f"--source={own}", "--classes", *classes, "--videos", videos, "--table", table)
    assert result.returncode == 0, result.stderr
    return table, videos


def test_videos_are_linked_under_their_places(tmp_path, own):
    _, videos = unpacked(tmp_path, own, "爬 行", "con")
    for name in find_videos(own):
        assert (videos / place_of(name.partition("/")[0], name)).read_text() == name and (
            videos / place_of(name.partition("/")[0], name)
        ).is_symlink()
    assert len([path for path in videos.rglob("*") if path.is_file()]) == 5


def test_what_is_new_gone_or_moved_is_unpacked_again(tmp_path, own):
    table, videos = unpacked(tmp_path, own, "con")

    def is_unpacked(*classes):
        find_videos.cache_clear()
        return are_own_videos_linked(table, own, classes, videos)

    assert is_unpacked("con") and not is_unpacked("con", "爬 行")
    (own / "con/new.mp4").touch()
    assert not is_unpacked("con")
    (own / "con/new.mp4").unlink()
    assert is_unpacked("con")
    (own / "con/{y}.avi").unlink()
    assert not is_unpacked("con")
    unpacked(tmp_path, own, "con")
    assert is_unpacked("con")
    own.rename(tmp_path / "moved")
    own = tmp_path / "moved"
    assert not is_unpacked("con")
    unpacked(tmp_path, own, "con")
    assert is_unpacked("con") and (videos / place_of("con", 'con/it\'s "x".webm')).is_file()


def test_names_alone_make_the_version(own):
    before = version_of_names(own)
    (own / "con/{y}.avi").write_text("other")
    find_videos.cache_clear()
    assert version_of_names(own) == before
    (own / "con/{y}.avi").rename(own / "con/{z}.avi")
    find_videos.cache_clear()
    assert version_of_names(own) != before


def test_the_table_and_the_draw(tmp_path, own):
    def write(**settings):
        find_videos.cache_clear()
        files = [f"--source={own}", "--draw", tmp_path / "draw.csv", "--output", tmp_path / "videos.csv"]
        return call(list_videos.main, *files, "--settings", str({"dataset": {"format": "folders", **settings}}))

    assert write(folds=2).returncode == 0
    first = read_videos(tmp_path / "videos.csv")
    assert {video.name for video in first} == set(find_videos(own))
    (own / "con/0 first.mp4").touch()
    assert write(folds=2).returncode == 0
    second = read_videos(tmp_path / "videos.csv")
    assert len(second) == 6 and [video for video in second if video.name != "con/0 first.mp4"] == first
    (tmp_path / "videos.csv").unlink()
    result = write(folds=4)
    assert result.returncode == 1 and "con 3, 爬 行 3" in result.stderr and not (tmp_path / "videos.csv").exists()


def test_classes_come_from_the_data_the_settings_or_the_table(tmp_path, own):
    folder = DataSource("folder", "", str(own))
    settings = DatasetSettings(format="folders", name="own")
    assert class_names(settings, folder) == ["con", "爬 行"]
    assert class_names(settings.model_copy(update={"classes": ["x"]}), folder) == ["x"]
    server = DataSource("url", "own.zip", urls=("https://example.com/own.zip",))
    with pytest.raises(UserError, match=r"classes: name them, as what is in https://example.com/own.zip"):
        class_names(settings, server, tmp_path)
    (tmp_path / "data/own").mkdir(parents=True)
    Path(tmp_path / "data/own/videos.csv").write_text("video,class,group,split1\na/1,a,1,train\nb/1,b,1,test\n")
    assert class_names(settings, server, tmp_path) == ["a", "b"]
    assert len(class_names(DatasetSettings(), server)) == 101


def test_videos_of_a_table_are_linked_from_where_they_lie(tmp_path, own):
    rows = [f"own/{FILES[0]},x", f"{own}/{FILES[2]},x", "own/con/{y}.avi,y"]
    (tmp_path / "own.csv").write_text("\n".join(["path,class", *rows]))
    table, videos = unpacked(tmp_path, tmp_path / "own.csv", "x", "y")
    for row, name in zip(rows, (FILES[0], FILES[2], "con/{y}.avi"), strict=True):
        path, class_name = row.rsplit(",", 1)
        assert (videos / place_of(class_name, path)).read_text() == name
    assert are_own_videos_linked(table, tmp_path / "own.csv", ["x", "y"], videos)
    before = version_of_names(tmp_path / "own.csv")
    (tmp_path / "own.csv").write_text("\n".join(["path,class", *rows[:2]]))
    assert not are_own_videos_linked(table, tmp_path / "own.csv", ["x", "y"], videos)
    assert version_of_names(tmp_path / "own.csv") != before


def test_the_splits_of_a_table_are_taken_and_missing_ones_drawn(tmp_path, own):
    def write(text):
        (tmp_path / "own.csv").write_text(text)
        files = [f"--source={tmp_path / 'own.csv'}", "--draw", tmp_path / "draw.csv", "--output", tmp_path / "v.csv"]
        result = call(list_videos.main, *files, "--settings", "{dataset: {format: table, folds: 2}}")
        assert result.returncode == 0, result.stderr
        return [video.subsets for video in read_videos(tmp_path / "v.csv")]

    assert write("path,class,split\nown/con/{y}.avi,y,test\nown/爬 行/a.mp4,y,train\n") == [{1: "test"}, {1: "train"}]
    assert not (tmp_path / "draw.csv").exists()
    drawn = write("path,class\nown/con/{y}.avi,y\nown/爬 行/a.mp4,y\n")
    assert sorted(map(str, drawn)) == ["{1: 'test', 2: 'train'}", "{1: 'train', 2: 'test'}"]


def test_a_source_of_another_format_is_named(tmp_path, own):
    (tmp_path / "own.csv").write_text("path,class\n")
    for name, source, words in (
        ("table", own, "expected the path of a CSV"),
        ("folders", tmp_path / "own.csv", "a folder"),
    ):
        with pytest.raises(UserError, match=words):
            class_names(DatasetSettings(format=name, name="own"), DataSource("folder", "", str(source)))
