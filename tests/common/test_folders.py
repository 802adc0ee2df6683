"""What a folder stands for."""

import os
from pathlib import Path

from helpers.superpowers import without_superpowers
from video3d.common.folders import expand_home, visible_entries


def names(folder: Path) -> list[str]:
    return [os.fspath(path.relative_to(folder)) for path in visible_entries(folder)]


def test_everything_but_folders_and_hidden_files_is_named(tmp_path):
    for name in ("b.avi", "a/c.avi", "a/.hidden.avi", ".git/d.avi", "\udcff.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").symlink_to("b.avi")
    assert names(tmp_path) == ["a/c.avi", "b.avi", "fifo", "file", "loop", "nowhere", "up", "\udcff.avi"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "open.avi").touch()
    with without_superpowers():
        assert names(tmp_path) == ["closed", "open.avi"]


def test_what_is_no_folder_stands_for_itself(tmp_path):
    (tmp_path / "a.avi").touch()
    for name in ("a.avi", "none.avi", "n" * 300):
        assert visible_entries(tmp_path / name) == [tmp_path / name]


def test_a_home_that_nobody_has_is_no_error(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert expand_home(Path("~/a")) == Path("/home/me/a")
    assert expand_home(Path("~nobody-of-this-name/a")) == Path("~nobody-of-this-name/a")
