import re

import pytest

from video3d.common.errors import UserError
from video3d.fetch.sources import DataSource, choose_source

URL = "https://example.org/files/UCF101%20videos.zip?key=1"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "folder").mkdir(parents=True)
    (tmp_path / "home" / "a b.rar").write_bytes(b"")
    return tmp_path


def test_a_url():
    assert choose_source([URL]) == DataSource("url", "UCF101_videos.zip", urls=(URL,))
    assert choose_source(["HTTP://example.org"]).name == "archive"


def test_mirrors_keep_their_order():
    assert choose_source([URL, "http://example.net/b.zip"]).urls == (URL, "http://example.net/b.zip")


def test_some_classes_of_a_remote_zip_have_a_name_of_their_own():
    source = choose_source([URL], ["Punch", "Archery"])
    assert re.fullmatch(r"UCF101_videos\.[0-9a-f]{8}\.zip", source.name)
    assert source.classes == ("Archery", "Punch")
    assert choose_source([URL], ["Archery", "Punch", "Punch"]) == source
    assert choose_source([URL], ["Archery"]).name != source.name
    assert choose_source(["https://example.org/UCF101.rar"], ["Punch"]) == DataSource(
        "url", "UCF101.rar", urls=("https://example.org/UCF101.rar",)
    )


@pytest.mark.parametrize("place", ["home/a b.rar", "~/a b.rar", "$HOME/a b.rar", "${HOME}/a b.rar"])
def test_a_local_archive(here, place):
    source = choose_source([place], ["Punch"])
    assert (source.kind, source.name, source.classes) == ("archive", "a b.rar", ())
    assert (here / source.path).samefile(here / "home" / "a b.rar")


@pytest.mark.parametrize("host", ["", "localhost"])
def test_file_urls(here, host):
    assert choose_source([f"file://{host}{here}/home/a%20b.rar"]).path == str(here / "home" / "a b.rar")
    assert choose_source([f"file://{host}{here}/home/folder"]).kind == "folder"
    with pytest.raises(UserError, match="of this machine"):
        choose_source(["file://server/share/a.zip"])


def test_a_folder():
    assert choose_source(["home/folder"]) == DataSource("folder", "", "home/folder")


def test_what_exists_wins(monkeypatch):
    monkeypatch.delenv("UCF101", raising=False)
    sources = ["$UCF101/videos", "absent.zip", URL, "home/folder", "home/a b.rar"]
    assert choose_source(sources).path == "home/folder"
    assert choose_source(sources[:3]).kind == "url"
    assert choose_source(sources[:2]) == DataSource("archive", "absent.zip", "absent.zip")
    monkeypatch.setenv("UCF101", "")
    assert choose_source(sources[:3]).kind == "url"


def test_nothing_usable_is_explained(monkeypatch):
    monkeypatch.delenv("UCF101", raising=False)
    with pytest.raises(UserError) as error:
        choose_source(["$UCF101/videos", "nowhere/folder"], setting="dataset.lists")
    text = str(error.value)
    assert text.startswith("dataset.lists: none of the sources")
    assert "variable UCF101 is not set" in text and "nowhere/folder does not exist" in text


def test_other_schemes_are_refused():
    with pytest.raises(UserError, match="only http:, https: and file:"):
        choose_source(["ftp://example.org/a.zip"])


def test_the_name_of_an_archive_holds_no_wildcard(tmp_path):
    path = tmp_path / "a{b} <run>.zip"
    path.touch()
    source = choose_source([str(path)])
    assert (source.name, source.path) == ("a_b_ _run_.zip", str(path))


def test_a_file_may_be_called_like_a_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a$x.zip").touch()
    monkeypatch.setenv("x", "y")
    assert choose_source(["a$x.zip"]).path == "a$x.zip"
