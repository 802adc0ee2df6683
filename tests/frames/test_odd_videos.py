"""Videos as phones and other cameras make them, made here by ffmpeg: what is stored of each."""

import subprocess

import pytest
import simplejpeg

from extract_frames import extract_class
from video3d.frames.ffmpeg import ffmpeg_program
from video3d.frames.frame_pack import Pack

SOURCE = "testsrc=size={size}:rate={rate}:duration={seconds}"
# By name: size of the source, frames a second, seconds, options of the output; size and number of the stored frames.
ODD = {
    "portrait.mp4": ("36x64", 10, 2, [], (24, 43), 20),
    "ten bit.mkv": ("64x36", 10, 2, ["-pix_fmt", "yuv420p10le"], (43, 24), 20),
    "every chroma.mov": ("64x36", 10, 2, ["-pix_fmt", "yuv444p"], (43, 24), 20),
    "one frame.mp4": ("64x36", 10, 0.1, [], (43, 24), 1),
    "long.ts": ("64x36", 50, 60, ["-preset", "ultrafast"], (43, 24), 3000),
    "with sound.mp4": ("64x36", 10, 2, [], (43, 24), 20),
    "varying rate.mp4": ("64x36", 10, 2, ["-vf", "select='lt(n,5)+not(mod(n,5))',setpts=N*N*0.1/TB"], (43, 24), 8),
    "old.wmv": ("64x36", 10, 2, ["-c:v", "wmv2"], (43, 24), 20),
    "flash.flv": ("64x36", 10, 2, ["-c:v", "flv"], (43, 24), 20),
}


def make(path, size, rate, seconds, options):
    command = [
        ffmpeg_program(),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        SOURCE.format(size=size, rate=rate, seconds=seconds),
    ]
    if "sound" in path.name:
        command += ["-f", "lavfi", "-i", f"sine=duration={seconds}", "-shortest"]
    subprocess.run([*command, *options, f"file:{path}"], check=True)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The manifest of all odd videos by name, and their pack."""
    folder = tmp_path_factory.mktemp("odd")
    for name, (size, rate, seconds, options, *_) in ODD.items():
        make(folder / name, size, rate, seconds, options)
    for turn in ("90", "180"):
        rotate = ["-display_rotation", turn, "-i", f"file:{folder / 'with sound.mp4'}", "-c", "copy"]
        subprocess.run([ffmpeg_program(), "-v", "error", *rotate, f"file:{folder / f'turned {turn}.mov'}"], check=True)
    videos = sorted(folder.iterdir())
    rows = extract_class(videos, 24, 90, 2, folder / "odd.zip", folder / "odd.csv")
    return {video.name: row for video, row in zip(videos, rows, strict=True)}, Pack(folder / "odd.zip")


@pytest.mark.parametrize("name", ODD)
def test_every_frame_is_stored_once_and_upright(extracted, name):
    rows, pack = extracted
    size, frames = ODD[name][-2:]
    assert (rows[name].status, rows[name].message) == ("ok", "")
    assert (rows[name].frames, pack.videos[rows[name].video]) == (frames, frames)
    (jpeg,) = pack.jpegs(rows[name].video, [0])
    assert simplejpeg.decode_jpeg_header(jpeg)[:2] == size[::-1] == (rows[name].height, rows[name].width)


@pytest.mark.parametrize(("name", "size"), [("turned 90.mov", (24, 43)), ("turned 180.mov", (43, 24))])
def test_a_phone_that_was_turned_is_shown_upright(extracted, name, size):
    rows, _ = extracted
    assert (rows[name].status, rows[name].frames) == ("ok", 20)
    assert (rows[name].width, rows[name].height) == size
