import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.paths import PROJECT
from helpers.rar_files import rar5
from unpack import unpack
from video3d.common.errors import UserError

CLASSES = ["HandstandPushups", "JumpingJack", "JumpRope"]
VIDEOS = ["v_HandStandPushups_g01_c01", "v_JumpingJack_g01_c01", "v_JumpingJack_g02_c01", "v_JumpRope_g01_c01"]
PLACES = {
    "HandstandPushups/v_HandStandPushups_g01_c01.avi": "v_HandStandPushups_g01_c01",
    "JumpingJack/v_JumpingJack_g01_c01.avi": "v_JumpingJack_g01_c01",
    "JumpingJack/v_JumpingJack_g02_c01.avi": "v_JumpingJack_g02_c01",
    "JumpRope/v_JumpRope_g01_c01.avi": "v_JumpRope_g01_c01",
}


@pytest.fixture
def lists(tmp_path):
    folder = tmp_path / "ucfTrainTestlist"
    folder.mkdir()
    index = "".join(f"{label} {name}\r\n" for label, name in enumerate(CLASSES, 1))
    (folder / "classInd.txt").write_text(index, newline="")
    (folder / "trainlist01.txt").write_text(
        "".join(f"{place} {CLASSES.index(place.split('/')[0]) + 1}\r\n" for place in list(PLACES)[1:]), newline=""
    )
    (folder / "testlist01.txt").write_text(f"{next(iter(PLACES))}\r\n", newline="")
    return folder


def flat(names=VIDEOS):
    return {f"UCF101/{name}.avi": name for name in names}


def nested():
    return {f"UCF-101/{place}": name for place, name in PLACES.items()}


def make_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


def unpacked(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.glob("*/*")}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "data" / "videos"


def table_of(output):
    return output.parent.parent / "unpacked.csv"


def failure(source, lists, output, classes=()):
    with pytest.raises(UserError) as error:
        unpack(source, lists, classes, output, table_of(output))
    assert not output.exists() and not (output.parent.exists() and any(output.parent.iterdir()))
    assert not table_of(output).exists()
    return str(error.value)


@pytest.mark.parametrize("files", [flat(), nested()], ids=["flat", "nested"])
@pytest.mark.parametrize("make", [make_zip, make_folder])
def test_every_shape_of_source_gives_the_same_folders(tmp_path, lists, output, make, files):
    unpack(make(tmp_path / "source", files), lists, [], output, table_of(output))
    assert unpacked(output) == PLACES
    assert all(path.is_symlink() == (make is make_folder) for path in output.glob("*/*"))
    assert [path.name for path in output.parent.iterdir()] == ["videos"]


def test_a_rar(tmp_path, lists, output):
    source = tmp_path / "UCF101.rar"
    source.write_bytes(rar5({name: text.encode() for name, text in nested().items()}))
    try:
        unpack(source, lists, [], output, table_of(output))
    except UserError as error:
        pytest.skip(str(error))
    assert unpacked(output) == PLACES


def test_links_of_a_folder_work_from_anywhere(tmp_path, lists, output, monkeypatch):
    make_folder(tmp_path / "source", flat())
    monkeypatch.chdir(tmp_path)
    unpack(Path("source"), lists, [], output, table_of(output))
    monkeypatch.chdir("/")
    assert unpacked(output) == PLACES


def test_only_the_wanted_classes(tmp_path, lists, output):
    unpack(make_zip(tmp_path / "videos.zip", flat()), lists, ["JumpRope"], output, table_of(output))
    assert list(unpacked(output)) == ["JumpRope/v_JumpRope_g01_c01.avi"]
    assert [path.name for path in output.iterdir()] == ["JumpRope"]


@pytest.mark.parametrize("name", ["v_HandstandPushups_g01_c01", "v_HandStandPushups_g01_c01"])
def test_names_are_spelled_as_in_the_lists(tmp_path, lists, output, name):
    unpack(make_zip(tmp_path / "videos.zip", flat([name])), lists, ["HandstandPushups"], output, table_of(output))
    assert unpacked(output) == {"HandstandPushups/v_HandStandPushups_g01_c01.avi": name}


def test_other_files_are_ignored_and_told(tmp_path, lists, output, caplog):
    caplog.set_level("INFO")
    others = ["UCF101/README.txt", "UCF101/v_JumpRope_g01_c01/TSP_Flows/flow.jpg", "__MACOSX/._v_JumpRope_g01_c01.avi"]
    files = {**flat(VIDEOS[:3]), "UCF101/v_JumpRope_g01_c01.AVI": VIDEOS[3], **dict.fromkeys(others, "")}
    unpack(make_zip(tmp_path / "videos.zip", files), lists, [], output, table_of(output))
    assert unpacked(output) == PLACES
    assert "3 files are no videos and are ignored" in caplog.text


def test_an_unlisted_video_of_a_known_class_is_kept_for_the_audit(tmp_path, lists, output):
    unpack(
        make_zip(tmp_path / "videos.zip", flat([*VIDEOS, "v_JumpRope_g09_c09"])), lists, [], output, table_of(output)
    )
    assert (output / "JumpRope" / "v_JumpRope_g09_c09.avi").is_file()


def test_classes_that_no_list_knows_are_named_with_the_nearest(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", {**flat(), "a/v_JumpRop_g01_c01.avi": "", "b/v_Zorbing_g01_c01.avi": ""})
    text = failure(source, lists, output)
    assert "v_JumpRop_g01_c01.avi" in text and "did you mean JumpRope" in text and "Zorbing" in text


def test_a_video_whose_name_tells_no_class(tmp_path, lists, output):
    text = failure(make_folder(tmp_path / "source", {**nested(), "UCF-101/Juggling/clip1.avi": ""}), lists, output)
    assert "Juggling/clip1.avi" in text and "v_<Class>_g" in text


def test_a_video_in_the_folder_of_another_class(tmp_path, lists, output):
    text = failure(make_zip(tmp_path / "a.zip", {"UCF-101/JumpRope/v_JumpingJack_g01_c01.avi": ""}), lists, output)
    assert "video of JumpingJack in the folder of another class" in text


def test_a_video_that_is_there_twice(tmp_path, lists, output):
    text = failure(make_zip(tmp_path / "a.zip", {**flat(), **nested()}), lists, output)
    assert "are the same video" in text


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_one_name_twice(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", flat())
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr(f"UCF101/{VIDEOS[0]}.avi", VIDEOS[0])
    assert "are the same video" in failure(source, lists, output)


def test_wanted_classes_must_be_known_and_there(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", flat(VIDEOS[:3]))
    assert "did you mean JumpRope" in failure(source, lists, output, ["JumpRoope"])
    text = failure(source, lists, output)
    assert "no video" in text and "JumpRope" in text


def test_a_damaged_archive_leaves_what_was_there(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", flat())
    unpack(source, lists, ["JumpingJack"], output, table_of(output))
    before = unpacked(output)
    content = source.read_bytes()
    position = content.index(b"v_JumpRope_g01_c01", content.index(b"v_JumpRope_g01_c01") + 1)
    source.write_bytes(content[:position] + b"X" + content[position + 1 :])
    with pytest.raises(UserError, match=r"v_JumpRope_g01_c01\.avi is damaged"):
        unpack(source, lists, [], output, table_of(output))
    assert unpacked(output) == before
    assert [path.name for path in output.parent.iterdir()] == ["videos"]


def test_another_selection_of_classes_adds_and_touches_nothing(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", flat())
    unpack(source, lists, ["JumpRope"], output, table_of(output))
    times = {path: path.stat().st_mtime_ns for path in output.glob("*/*")}
    unpack(source, lists, ["JumpingJack"], output, table_of(output))
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert sorted(path.name for path in output.iterdir()) == ["JumpRope", "JumpingJack"]
    assert table_of(output).read_text().splitlines() == [
        "video,class,bytes,source_bytes",
        f"v_JumpingJack_g01_c01,JumpingJack,21,{source.stat().st_size}",
        f"v_JumpingJack_g02_c01,JumpingJack,21,{source.stat().st_size}",
    ]  # fmt: skip


def test_a_video_that_was_put_there_by_hand_is_kept_and_said(tmp_path, lists, output, caplog):
    source = make_zip(tmp_path / "videos.zip", flat())
    unpack(source, lists, [], output, table_of(output))
    mended = output / "JumpRope" / "v_JumpRope_g01_c01.avi"
    mended.write_text("mended by hand")
    unpack(source, lists, [], output, table_of(output))
    assert mended.read_text() == "mended by hand"
    assert "1 videos in" in caplog.text and "JumpRope/v_JumpRope_g01_c01.avi" in caplog.text


def test_an_archive_larger_than_the_disk(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", flat(VIDEOS[:1]))
    data = bytearray(source.read_bytes())
    position = data.index(b"PK\x01\x02") + 24
    data[position : position + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    source.write_bytes(data)
    text = failure(source, lists, output, ["HandstandPushups"])
    assert "claim to unpack to 4,294,967,280" in text


def test_the_command_line(tmp_path, lists, output):
    source = make_zip(tmp_path / "videos.zip", flat())
    command = [sys.executable, PROJECT / "workflow_scripts" / "unpack.py", "--source", source, "--lists", lists]
    command += ["--videos", output, "--table", table_of(output), "--classes", "JumpRope", "JumpingJack"]
    subprocess.run(command, check=True, capture_output=True)
    assert len(unpacked(output)) == 3
    failed = subprocess.run([*command, "JumpRoppe"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ") and "Traceback" not in failed.stderr


def test_the_real_clips(ucf101_mini, tmp_path, output):
    unpack(ucf101_mini / "UCF-101", ucf101_mini / "ucfTrainTestlist", [], output, table_of(output))
    assert {path.name: len(list(path.iterdir())) for path in output.iterdir()} == {
        "BabyCrawling": 25,
        "Punch": 25,
        "PushUps": 25,
    }


def test_random_bytes_are_no_archive(tmp_path, lists, output):
    source = tmp_path / "videos.zip"
    source.write_bytes(b"PK\x03\x04" + random.Random(0).randbytes(1000))
    assert "not a whole ZIP archive" in failure(source, lists, output)
