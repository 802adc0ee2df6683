"""The archive that `make rehearsal` makes: names and lists like the official ones, at any size."""

import itertools
import zipfile

import pytest

from rehearsal import list_files, make_source, name_videos
from video3d.dataset.ucf101 import CLASSES, VideoName, read_official_split


def test_names_go_through_the_classes_then_the_groups_then_the_numbers():
    first = list(itertools.islice(name_videos(["Archery", "HandstandPushups"]), 52))
    assert first[:3] == [
        (1, 1, "Archery/v_Archery_g01_c01.avi"),
        (2, 1, "HandstandPushups/v_HandStandPushups_g01_c01.avi"),
        (1, 2, "Archery/v_Archery_g02_c01.avi"),
    ]
    assert first[50] == (1, 1, "Archery/v_Archery_g01_c02.avi")


@pytest.mark.parametrize("count", [404, 13320])
def test_the_lists_are_accepted_and_hold_every_video_once(tmp_path, count):
    videos = list(itertools.islice(name_videos(CLASSES), count))
    assert len({VideoName.parse(path.split("/")[1].removesuffix(".avi")) for _, _, path in videos}) == count
    for name, lines in list_files(CLASSES, videos).items():
        (tmp_path / name).write_text("\n".join(lines))
    for split in (1, 2, 3):
        train, test = read_official_split(tmp_path, split)
        assert len(train) + len(test) == count
        assert {video.class_name for video in train} == {video.class_name for video in test} == set(CLASSES)


def test_the_archive_repeats_the_clips(tmp_path):
    (tmp_path / "clips/Punch").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / f"clips/Punch/{name}.avi").write_text(name)
    assert make_source(tmp_path, 9, tmp_path / "clips") == 2  # classes of 5 and 4 videos
    with zipfile.ZipFile(tmp_path / "videos.zip") as archive:
        assert "".join(archive.read(name).decode() for name in archive.namelist()) == "ababababa"
    with pytest.raises(SystemExit, match="3 videos are too few; expected 4 at least"):
        make_source(tmp_path, 3, tmp_path / "clips")
