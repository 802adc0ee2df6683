"""The ffmpeg program: which one is used, its command line, and what it says about a video."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import ffmpeg
import imageio_ffmpeg

from video3d.common.errors import UserError

# Containers that hold their own data; playlists and the like, which could point at other files, are no videos.
CONTAINERS = "avi,mov,mp4,matroska,webm,mpeg,mpegts,flv,asf,ogg"
PLACE = "file:"  # of the video in the command: ffmpeg-python takes no name that is not UTF-8
FPS_MODE_SINCE = (5, 1)
SCALER = "bilinear+accurate_rnd"  # accurate rounding: the same frames whatever the processor


class Messages(NamedTuple):
    """What ffmpeg said about a video.

    Frame rate; end of the last frame in seconds, if known; lines about errors; whether all that it holds is sound, with
    or without the picture of a cover.
    """

    fps: float
    end: float | None
    errors: list[str]
    sound_alone: bool = False


def read_messages(messages: str) -> Messages:
    """Parse what ffmpeg wrote with `-loglevel level+info`."""
    rate = re.search(r"Stream #0:.*Video:.*? ([\d.]+) (?:fps|tbr)", messages)
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", messages)
    end = sum(float(part) * seconds for part, seconds in zip(times[-1], (3600, 60, 1), strict=True)) if times else None
    audio = set(re.findall(r"Stream #0:.*Audio: (\w+)", messages))
    moving = [line for line in re.findall(r"Stream #0:.*Video: .*", messages) if "(attached pic)" not in line]
    errors = []
    for line in messages.splitlines():
        match = re.match(r"(?P<contexts>(?:\[[^]]* @ \w+\] )*)\[(?:error|fatal|panic)\] (?P<text>.*\S)", line)
        if match and not any(f"[{codec}" in match["contexts"] for codec in audio):
            errors.append(re.sub(r" @ 0x\w+", "", match["contexts"]) + match["text"])
    return Messages(float(rate[1]) if rate else 0.0, end, errors, bool(audio) and not moving)


def extraction_command(video: Path, short_side: int) -> list[str]:
    """Return the command with which ffmpeg writes all frames of `video` to its output, as a YUV4MPEG2 stream.

    Their colours are those of JPEG (JFIF, ITU-T T.871): full range, the matrix of BT.601, 4:2:0. The picture of a cover
    (V in ffmpeg's words: video without attached pictures) is no video.
    """
    program = ffmpeg_program()
    as_decoded = {"fps_mode": "passthrough"} if ffmpeg_version(program) >= FPS_MODE_SINCE else {"vsync": 0}
    source = ffmpeg.input(PLACE, an=None, threads=1, format_whitelist=CONTAINERS, protocol_whitelist="file,pipe")
    scale = {"w": f"if(gt(iw,ih),-1,{short_side})", "h": f"if(gt(iw,ih),{short_side},-1)", "flags": SCALER}
    colours = {"out_range": "pc", "out_color_matrix": "bt601"}
    frames = source["V"].filter("scale", **scale, **colours).filter("format", "yuv420p")
    command = (
        frames.output(
            "pipe:",
            format="yuv4mpegpipe",
            threads=1,
            flush_packets=0,
            **as_decoded,
        )
        .global_args("-hide_banner", "-nostdin", "-loglevel", "level+info", "-filter_complex_threads", "1")
        .compile(program)
    )
    return [f"file:{video}" if part == PLACE else part for part in command]


@cache
def ffmpeg_program() -> str:
    """Return the path of the ffmpeg in use. Raises UserError if there is none."""
    try:
        return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise UserError(f"no ffmpeg found: install ffmpeg, or imageio-ffmpeg for this platform ({error})") from error


@cache
def ffmpeg_version(program: str) -> tuple[int, ...]:
    """Return the version of an ffmpeg, such as (7, 1); a development build counts as the newest."""
    banner = subprocess.run([program, "-version"], capture_output=True, text=True, check=True).stdout
    match = re.match(r"ffmpeg version n?(\d+)\.(\d+)", banner)
    return (int(match[1]), int(match[2])) if match else (999,)
