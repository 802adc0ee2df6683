"""predict.py: strangers' videos of many kinds, and the same answer as evaluation for a test video."""

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import evaluate
import predict
from helpers.exported import CLASSES, write_model
from helpers.script_call import call
from helpers.superpowers import without_superpowers
from video3d.clips.spatial_crops import FIRST_RESIZING, RESIZERS, RESIZING
from video3d.frames.extraction import Decoders
from video3d.frames.ffmpeg import ffmpeg_program
from video3d.frames.frame_pack import PackWriter


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("exported") / "model")


def make_video(path: Path, *options: str, size: str = "64x48", seconds: float = 0.8) -> Path:
    """A test picture that moves, encoded by the ffmpeg in use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = f"testsrc=size={size}:rate=25:duration={seconds}"
    command = [ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", source, *options, str(path)]
    subprocess.run(command, check=True)
    return path


def answers(capsys, *arguments: object) -> dict[str, dict]:
    """What the script answers in JSON, by file name."""
    call(predict.main, *arguments, "--json", "--device", "cpu", "--threads", 2)
    return {Path(video["video"]).name: video for video in json.loads(capsys.readouterr().out)["videos"]}


def test_videos_of_many_kinds(model, tmp_path, capsys):
    videos = tmp_path / "videos"
    make_video(videos / "avi.avi", "-c:v", "mpeg4")
    make_video(videos / "mp4.mp4", "-c:v", "mpeg4", size="33x97")
    make_video(videos / "mkv.mkv", "-c:v", "mjpeg", size="51x20")
    make_video(videos / "ts.ts", "-c:v", "mpeg2video", size="48x64")
    make_video(videos / "short.avi", "-c:v", "mpeg4", "-frames:v", "1")
    make_video(videos / "varying.mp4", "-vf", "select='not(mod(n,3))+lt(n,5)'", "-fps_mode", "vfr", "-c:v", "mpeg4")
    make_video(videos / "below" / "large.avi", "-c:v", "mpeg4", size="640x360")
    found = answers(capsys, videos, "--model", model)
    assert {name: (a["status"], a["frames"]) for name, a in found.items()} == {
        "avi.avi": ("ok", 20), "mp4.mp4": ("ok", 20), "mkv.mkv": ("ok", 20), "ts.ts": ("ok", 20),
        "short.avi": ("ok", 1), "varying.mp4": ("ok", 10), "large.avi": ("ok", 20),
    }  # fmt: skip
    for answer in found.values():
        assert answer["clips"] == 1
        assert sorted(entry["class"] for entry in answer["best"]) == CLASSES
        assert sum(entry["probability"] for entry in answer["best"]) == pytest.approx(1, abs=1e-5)


def test_broken_files_are_named_and_the_rest_goes_on(model, tmp_path, capsys):
    good = make_video(tmp_path / "good.avi", "-c:v", "mpeg4")
    (tmp_path / "text.avi").write_text("no video")
    (tmp_path / "empty.avi").write_bytes(b"")
    (tmp_path / "cut.avi").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    sound = ["-f", "lavfi", "-i", "sine=duration=0.2", str(tmp_path / "sound.wav")]
    subprocess.run([ffmpeg_program(), "-v", "error", *sound], check=True)
    subprocess.run([ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2", tmp_path / "sound.mp4"])
    names = ["text.avi", "empty.avi", "cut.avi", "sound.wav", "sound.mp4", "none.avi", "good.avi"]
    found = answers(capsys, *(tmp_path / name for name in names), "--model", model)
    assert list(found) == names
    assert {name: answer["status"] for name, answer in found.items()} == {
        "text.avi": "unreadable", "empty.avi": "unreadable", "cut.avi": "damaged", "sound.wav": "unreadable",
        "sound.mp4": "unreadable", "none.avi": "missing", "good.avi": "ok",
    }  # fmt: skip
    assert all(answer["message"] for name, answer in found.items() if name != "good.avi")
    assert [name for name, answer in found.items() if answer["best"]] == ["cut.avi", "good.avi"]


def test_every_file_of_a_folder_is_answered_whatever_it_is(model, tmp_path, capsys):
    folder = tmp_path / "v"
    good = make_video(folder / "good.mp4", "-c:v", "mpeg4")
    odd = ["{run}<a>.mp4", "line\nend\x1b[31m.mp4", "latin\udcff.mp4", "=cmd().mp4", "-n.mp4", "a%03d:b|c.mp4"]
    for name in odd:
        shutil.copyfile(good, folder / name)
    sound = [ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2"]
    cover = ["-f", "lavfi", "-i", "testsrc=size=64x48:duration=0.04", "-map", "0", "-map", "1", "-c:v", "mjpeg"]
    subprocess.run([*sound, folder / "sound.mp4"], check=True)
    subprocess.run([*sound, *cover, "-disposition:v:0", "attached_pic", folder / "cover.mp4"], check=True)
    (folder / "empty.avi").touch()
    (folder / "text.avi").write_text("no video")
    os.mkfifo(folder / "fifo.avi")
    for name, target in {"nowhere": "gone", "loop": "loop", "device": "/dev/zero", "up": ".."}.items():
        (folder / name).symlink_to(target)
    shutil.copyfile(good, folder / "closed.mp4")
    (folder / "closed.mp4").chmod(0)
    (folder / "closed").mkdir(mode=0)
    with without_superpowers():
        result = call(predict.main, folder, "--model", model, "--device", "cpu", "--json")
    output = capsys.readouterr().out
    assert output.isascii()
    found = {Path(video["video"]).name: video for video in json.loads(output)["videos"]}
    assert {name for name, answer in found.items() if answer["best"]} == {"good.mp4", *odd}
    assert {name: (answer["status"], answer["message"]) for name, answer in found.items() if not answer["best"]} == {
        "sound.mp4": ("unreadable", "it holds sound and no video"),
        "cover.mp4": ("unreadable", "it holds sound and no video"),
        "empty.avi": ("unreadable", "the file is empty"),
        "text.avi": ("unreadable", found["text.avi"]["message"]),
        "fifo.avi": ("unreadable", "it is a named pipe, no file"),
        "nowhere": ("missing", "it is a link to nowhere"),
        "loop": ("unreadable", "it cannot be read: Too many levels of symbolic links"),
        "device": ("unreadable", "it is a device, no file"),
        "up": ("unreadable", "it is a link to a folder: give that folder itself"),
        "closed.mp4": ("unreadable", "it cannot be read: Permission denied"),
        "closed": ("unreadable", "it cannot be read: Permission denied"),
    }
    assert result.returncode == 1
    assert f"error: 11 of 18 files have no answer:\n  - {folder}/closed: it cannot be read" in result.stderr
    assert "\n  … and 1 more" in result.stderr


def test_one_answer_is_enough_where_that_is_asked_for(model, tmp_path, capsys):
    make_video(tmp_path / "v/good.avi", "-c:v", "mpeg4")
    (tmp_path / "v/empty.avi").touch()
    options = ("--some-answers", "--csv", "--model", model, "--device", "cpu")
    result = call(predict.main, tmp_path / "v", *options)
    assert result.returncode == 0
    assert f"1 of 2 files have no answer:\n  - {tmp_path}/v/empty.avi: the file is empty" in result.stderr
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [bool(row["top1_class"]) for row in rows] == [False, True]
    assert call(predict.main, tmp_path / "v/empty.avi", *options).returncode == 1


def test_people_see_no_control_characters_and_no_formulas():
    names = ("=cmd().avi", "line\nend\x1b[31m.avi", "latin\udcff.avi")
    found = [predict.Answer(name, "ok", "", 3, 1, [("+class", 0.5)]) for name in names]
    text = predict.as_text(found, "segments")
    assert all(line.isprintable() for line in text.split("\n"))
    table = predict.as_table(found, "segments")
    assert table["video"].tolist() == ["'=cmd().avi", r"line\nend\x1b[31m.avi", r"latin\udcff.avi"]
    assert set(table["top1_class"]) == {"'+class"}
    table.to_csv(io.BytesIO())


@pytest.mark.parametrize(
    ("videos", "message"),
    [
        ([], "error: no video is given"),
        (["gone", ""], "error: an empty text is given as a video"),
        (["gone"], "error: 1 of 1 files have no answer:\n  - gone: there is no such file"),
    ],
)
def test_a_missing_folder_is_named(model, videos, message):
    result = call(predict.main, *videos, "--model", model, "--device", "cpu")
    assert result.returncode == 1
    assert message in result.stderr


def test_two_videos_of_one_name(model, tmp_path, capsys):
    paths = [make_video(tmp_path / folder / "same.avi", "-c:v", "mpeg4") for folder in "ab"]
    call(predict.main, *paths, "--json", "--model", model, "--device", "cpu")
    assert [video["video"] for video in json.loads(capsys.readouterr().out)["videos"]] == list(map(str, paths))


def test_table_and_csv(model, tmp_path, capsys):
    video = make_video(tmp_path / "video.avi", "-c:v", "mpeg4")
    result = call(predict.main, video, "--model", model, "--device", "cpu", "--protocol", "sliding")
    text = capsys.readouterr().out
    assert text.startswith("sliding: all non-overlapping clips of 4 frames")
    assert all(name in text for name in CLASSES)
    assert "1 of 1 videos answered, 5 clips in" in result.stderr
    assert "clips/s (onednn, cpu, " in result.stderr
    call(predict.main, video, "--model", model, "--device", "cpu", "--csv", "--output", tmp_path / "answers.csv")
    row = next(csv.DictReader(io.StringIO((tmp_path / "answers.csv").read_text())))
    assert (row["video"], row["protocol"], row["status"]) == (str(video), "segments", "ok")
    assert row["top1_class"] in CLASSES
    assert float(row["top1_probability"]) >= float(row["top3_probability"])
    assert capsys.readouterr().out == ""


def test_nothing_but_broken_files_fails_after_its_answer(model, tmp_path, capsys):
    (tmp_path / "text.avi").write_text("no video")
    result = call(predict.main, tmp_path / "text.avi", "--json", "--model", model, "--device", "cpu")
    assert result.returncode == 1
    assert f"error: 1 of 1 files have no answer:\n  - {tmp_path}/text.avi: " in result.stderr
    assert json.loads(capsys.readouterr().out)["videos"][0]["status"] == "unreadable"


def test_folder_without_files(model, tmp_path):
    (tmp_path / ".hidden").write_text("")
    result = call(predict.main, tmp_path, "--model", model, "--device", "cpu")
    assert f"error: no file in {tmp_path}" in result.stderr


def test_the_resizing_is_that_of_the_model(tmp_path, capsys):
    video = make_video(tmp_path / "video.avi", "-c:v", "mpeg4")
    found = [
        answers(capsys, video, "--model", write_model(tmp_path / name, resizing=name))["video.avi"]["best"]
        for name in RESIZERS
    ]
    assert found[0] != found[1]


@pytest.mark.parametrize(("protocol", "resizing"), [("segments", RESIZING), ("sliding", FIRST_RESIZING)])
def test_a_test_video_gets_its_row(model, tmp_path, capsys, ucf101_mini, protocol, resizing):
    """Extraction and evaluation as in the workflow on one side, prediction from the video files on the other."""
    names = [name for name in ("BabyCrawling", "Punch", "PushUps")]
    files = {name: ucf101_mini / f"UCF-101/{name}/v_{name}_g07_c01.avi" for name in names}
    rows = []
    for label, (name, file) in enumerate(files.items()):
        with Decoders([file], 24, 85, 1) as decoders, PackWriter(tmp_path / f"frames/{name}.zip") as writer:
            for decoding in decoders:
                facts = writer.add(file.stem, decoders.frames(decoding))
        rows.append((file.stem, name, label, 7, "test", facts.frames))
    pd.DataFrame(rows, columns=["video", "class", "label", "group", "subset", "frames"]).to_csv(
        tmp_path / "split.csv", index=False
    )
    model = write_model(tmp_path / "model", classes=names, resizing=resizing)
    outputs = [f"--{name}={tmp_path / name}" for name in ("predictions", "metrics", "probabilities")]
    call(
        evaluate.main, "--model", model, "--split-table", tmp_path / "split.csv", "--frames", tmp_path / "frames",
        "--protocol", protocol, "--device", "cpu", *outputs,
    )  # fmt: skip
    capsys.readouterr()
    table = pd.read_csv(tmp_path / "predictions").set_index("video")
    found = answers(capsys, *files.values(), "--model", model, "--protocol", protocol)
    for file in files.values():
        row, answer = table.loc[file.stem], found[file.name]
        assert answer["clips"] == row["clips"]
        for rank, entry in enumerate(answer["best"], 1):
            assert entry["class"] == row[f"top{rank}_class"]
            assert entry["probability"] == pytest.approx(row[f"top{rank}_probability"], abs=1e-5)
