"""Extraction by the real ffmpeg, on little videos that are made here, whole and broken in every way."""

import re
import struct
import subprocess
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
import simplejpeg

from video3d.frames import extraction, frame_encoder
from video3d.frames.extraction import Decoders, ExtractedVideo
from video3d.frames.frame_pack import VideoFacts
from video3d.frames.video_status import announced_length

FRAMES = 40


def extract(*videos: Path, short_side: int = 48, quality: int = 90, threads: int = 2):
    """Manifest rows and lists of JPEGs of the videos, by name."""
    rows: dict[str, ExtractedVideo] = {}
    jpegs: dict[str, list[bytes]] = {}
    with Decoders(videos, short_side, quality, threads) as decoders:
        for decoding in decoders:
            name = decoding.video.stem
            jpegs[name] = list(decoders.frames(decoding))
            rows[name] = decoding.result(*VideoFacts(len(jpegs[name]), sum(map(len, jpegs[name])), "content"))
    return rows, jpegs


def write_video(path: Path, count: int = FRAMES, size: tuple[int, int] = (64, 48)) -> Path:
    """A picture without sharp edges that moves by 3 pixels a frame."""
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8), (0, 0), 2)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"XVID"), 25, size)
    for index in range(count):
        writer.write(np.roll(picture, 3 * index, axis=1))
    writer.release()
    return path


def ffmpeg(*arguments: str | Path) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-nostdin", "-y", "-v", "error", *map(str, arguments)], check=True)


def test_source(path: Path, *arguments: str) -> Path:
    """Two seconds, 50 frames, of ffmpeg's test picture, encoded with these arguments."""
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=2", *arguments, path)
    return path


test_source.__test__ = False


def frames_by_opencv(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while capture.grab():
        pictures.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
    return pictures


def chunk_positions(data: bytes) -> list[int]:
    """Where the video chunks of an AVI begin."""
    position = data.index(b"movi") + 4
    positions = []
    while data[position : position + 4] == b"00dc":
        positions.append(position)
        size = struct.unpack_from("<L", data, position + 4)[0]
        position += 8 + size + size % 2
    return positions


def test_every_frame_comes_in_order(tmp_path):
    video = write_video(tmp_path / "video.avi")
    rows, jpegs = extract(video)
    originals = np.stack(frames_by_opencv(video)).astype(float)
    stored = np.stack([simplejpeg.decode_jpeg(jpeg) for jpeg in jpegs["video"]])
    assert rows["video"][:5] == ("video", FRAMES, 25.0, 64, 48)
    assert rows["video"].status == "ok"
    errors = [[np.mean((original - frame) ** 2) for original in originals[:21]] for frame in stored[:21]]
    assert np.argmin(errors, axis=1).tolist() == list(range(21))
    assert np.mean((originals - stored) ** 2) < 255**2 / 10**3  # 30 dB: the colours of noise are halved in resolution


@pytest.mark.parametrize(
    ("size", "short_side", "stored"),
    [
        ((320, 240), 170, (227, 170)),
        ((240, 320), 170, (170, 227)),
        ((64, 64), 32, (32, 32)),
        ((64, 48), 96, (128, 96)),
        ((33, 25), 24, (32, 24)),
        ((33, 25), 25, (33, 25)),
    ],
)
def test_the_short_side_is_the_configured_one(tmp_path, size, short_side, stored):
    rows, jpegs = extract(write_video(tmp_path / "video.avi", 2, size), short_side=short_side)
    assert (rows["video"].width, rows["video"].height) == stored
    assert simplejpeg.decode_jpeg(jpegs["video"][1]).shape == (stored[1], stored[0], 3)


def test_quality_is_applied(tmp_path):
    video = write_video(tmp_path / "video.avi", 5)
    sizes = [extract(video, quality=quality)[0]["video"].bytes for quality in (95, 85, 50)]
    assert sizes[0] > 1.3 * sizes[1] > 1.3 * sizes[2]


@pytest.mark.parametrize("count", [1, 2])
def test_a_video_of_a_frame_or_two(tmp_path, count):
    rows, _ = extract(write_video(tmp_path / "video.avi", count))
    assert (rows["video"].frames, rows["video"].status) == (count, "ok")


@pytest.mark.parametrize("container", ["avi", "matroska", "mp4"])
def test_variable_frame_rate(tmp_path, container):
    """Of 50 frames those are kept whose number ends in 1 or 6 or is a multiple of 7: 17; none is made up for a gap."""
    keep = "select='not(mod(n,5)-1)+not(mod(n,7))'"
    video = test_source(
        tmp_path / "video.avi", "-vf", keep, "-fps_mode", "passthrough", "-c:v", "mpeg4", "-f", container
    )
    rows, _ = extract(video)
    assert (rows["video"].frames, rows["video"].status) == (17, "ok")


@pytest.mark.parametrize("encoder", [["mpeg4", "-bf", "2"], ["libxvid", "-bf", "2"], ["mjpeg"], ["libx264"]])
def test_frames_are_those_of_another_decoder(tmp_path, encoder):
    """With libxvid the B-frames are packed, as in UCF101: the container counts chunks that hold no picture."""
    video = test_source(tmp_path / "video.avi", "-c:v", *encoder)
    rows, _ = extract(video)
    assert (rows["video"].frames, rows["video"].status) == (len(frames_by_opencv(video)), "ok")


def test_broken_sound_does_not_matter(tmp_path):
    video = tmp_path / "video.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=4",
           "-c:v", "mpeg4", "-c:a", "libmp3lame", video)  # fmt: skip
    data = bytearray(video.read_bytes())
    position = data.index(b"movi") + 4
    while data[position : position + 4] in (b"00dc", b"01wb"):
        size = struct.unpack_from("<L", data, position + 4)[0]
        if data[position : position + 2] == b"01":
            data[position + 8 : position + 8 + size] = bytes(size)
        position += 8 + size + size % 2
    video.write_bytes(data)
    rows, _ = extract(video)
    assert (rows["video"].status, rows["video"].message) == ("ok", "")
    assert rows["video"].frames == len(frames_by_opencv(video))


def no_bytes(data: bytes) -> bytes:
    return b""


def text(data: bytes) -> bytes:
    return b"this is no video\n" * 100


def zeros(data: bytes) -> bytes:
    return bytes(10_000)


def header_only(data: bytes) -> bytes:
    return data[: chunk_positions(data)[0]]


def playlist(data: bytes) -> bytes:
    return b"ffconcat version 1.0\nfile other.avi\n"


def hls_playlist(data: bytes) -> bytes:
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nother.avi\n#EXT-X-ENDLIST\n"


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def cut_between_frames(data: bytes) -> bytes:
    return data[: chunk_positions(data)[20]]


def two_frames_less(data: bytes) -> bytes:
    return data[: chunk_positions(data)[FRAMES - 2]]


def one_frame_less(data: bytes) -> bytes:
    return data[: chunk_positions(data)[FRAMES - 1]]


def garbled(data: bytes) -> bytes:
    position = chunk_positions(data)[10] + 30
    return data[:position] + b"\x55" * 300 + data[position + 300 :]


@pytest.mark.parametrize(
    ("damage", "status", "count", "message"),
    [
        (no_bytes, "unreadable", 0, "Invalid data found"),
        (text, "unreadable", 0, "Invalid data found"),
        (zeros, "unreadable", 0, "Invalid data found"),
        (header_only, "unreadable", 0, "."),
        (playlist, "unreadable", 0, "."),
        (hls_playlist, "unreadable", 0, "."),
        (half, "damaged", None, "mpeg4"),
        (garbled, "damaged", None, "mpeg4"),
        (cut_between_frames, "damaged", 20, r"ends after 0\.80 s of the 1\.60 s"),
        (two_frames_less, "damaged", FRAMES - 2, r"ends after 1\.52 s of the 1\.60 s"),
        (one_frame_less, "ok", FRAMES - 1, ""),
    ],
)
def test_broken_videos_are_judged(tmp_path, damage, status, count, message):
    whole = write_video(tmp_path / "other.avi")
    broken = tmp_path / "broken.avi"
    broken.write_bytes(damage(whole.read_bytes()))
    rows, _ = extract(broken, whole)
    assert rows["broken"].status == status
    assert rows["broken"].frames == (len(frames_by_opencv(broken)) if count is None else count)
    assert re.search(message, rows["broken"].message)
    assert bool(rows["broken"].message) == (status != "ok")
    assert "0x" not in rows["broken"].message
    assert (rows["other"].status, rows["other"].frames) == ("ok", FRAMES)


def test_sound_alone_is_no_video(tmp_path):
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "libmp3lame", "-f", "avi", tmp_path / "video.avi")
    row = extract(tmp_path / "video.avi")[0]["video"]
    assert (row.status, row.message) == ("unreadable", "it holds sound and no video")
    assert (row.frames, row.width, row.height, row.bytes, row.content) == (0, 0, 0, 0, "")


@pytest.mark.parametrize("container", ["matroska", "mp4"])
def test_truncation_of_other_containers(tmp_path, container):
    whole = test_source(tmp_path / "whole.avi", "-c:v", "mpeg4", "-f", container, "-movflags", "faststart")
    data = whole.read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) * 2 // 3])
    rows, _ = extract(whole, tmp_path / "cut.avi")
    assert (rows["whole"].status, rows["cut"].status) == ("ok", "damaged")
    assert 0 < rows["cut"].frames < 50


def test_header_of_an_avi(tmp_path):
    assert announced_length(write_video(tmp_path / "video.avi")) == (FRAMES / 25, 1 / 25)
    (tmp_path / "text.avi").write_text("strh" * 100)
    assert announced_length(tmp_path / "text.avi") is None


def test_order_and_content_do_not_depend_on_the_number_of_processes(tmp_path):
    videos = [write_video(tmp_path / f"{index}.avi", 10 + 20 * (index % 3)) for index in range(7)]
    one, three = extract(*videos, threads=1), extract(*videos, threads=3)
    assert list(one[0]) == [video.stem for video in videos]
    assert one == three


def test_videos_that_wait_take_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "BUFFER_BYTES", 10_000)
    for module in (extraction, frame_encoder):
        monkeypatch.setattr(module, "PIPE_BYTES", 4_096)
    videos = [write_video(tmp_path / f"{index}.avi", 100) for index in range(3)]
    with Decoders(videos, 48, 90, 3) as decoders:
        counts = []
        for decoding in decoders:
            counts.append(0)
            for jpeg in decoders.frames(decoding):
                counts[-1] += 1
                waiting = [other for other in decoders._started if other is not decoding]
                assert all(other.buffered < 10_000 + 4_096 + 2 * len(jpeg) for other in waiting)
                assert all(other.buffered == sum(map(len, other.frames)) for other in waiting)
    assert counts == [100, 100, 100]


def test_leaving_early_ends_the_processes(tmp_path):
    videos = [write_video(tmp_path / f"{index}.avi") for index in range(4)]
    with pytest.raises(ZeroDivisionError), Decoders(videos, 48, 90, 2) as decoders:
        for decoding in decoders:
            processes = [started._process for started in decoders._started]
            next(decoders.frames(decoding))
            1 / 0  # noqa: B018
    assert processes and all(process.poll() is not None for process in processes)


def test_the_colours_are_those_of_jpeg(tmp_path):
    """Black, white, and red by the matrix of BT.601 in full range: Y .299, Cb -.169, Cr .5 (ITU-T T.871)."""
    for colour, expected in {"black": (0, 0, 0), "white": (255, 255, 255), "red": (255, 0, 0)}.items():
        video = tmp_path / f"{colour}.avi"
        ffmpeg("-f", "lavfi", "-i", f"color={colour}:size=64x48:duration=0.2", "-c:v", "mpeg4", "-q:v", "1", video)
        jpeg = extract(video)[1][colour][0]
        assert np.abs(simplejpeg.decode_jpeg(jpeg).mean(axis=(0, 1)) - expected).max() < 4


def test_a_picture_that_changes_its_size_keeps_the_first_one(tmp_path):
    parts = [tmp_path / "small.ts", tmp_path / "wide.ts"]
    for part, size in zip(parts, ("64x48", "96x48"), strict=True):
        ffmpeg("-f", "lavfi", "-i", f"testsrc=size={size}:rate=25:duration=1", "-c:v", "mpeg2video", part)
    video = tmp_path / "video.ts"
    video.write_bytes(b"".join(part.read_bytes() for part in parts))
    rows, jpegs = extract(video)
    assert (rows["video"].width, rows["video"].height, rows["video"].frames) == (64, 48, len(jpegs["video"]))
    assert {simplejpeg.decode_jpeg(jpeg).shape for jpeg in jpegs["video"]} == {(48, 64, 3)}
    assert len(jpegs["video"]) > 40  # of 50: where the parts meet, one is lost


def test_real_clips_have_the_frames_that_opencv_decodes(ucf101_mini):
    videos = sorted((ucf101_mini / "UCF-101").glob("*/*_g0[1-4]_c01.avi"))
    rows, _ = extract(*videos, short_side=112)
    assert len(rows) == 12
    for video in videos:
        assert (rows[video.stem].frames, rows[video.stem].status) == (len(frames_by_opencv(video)), "ok")
