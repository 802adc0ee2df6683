"""Frames out of videos: ffmpeg decodes, scales and encodes them as JPEGs through a pipe, a frame pack takes them.

One process of one thread per video, several at once; nothing but the pack touches the disk, and memory does not grow
with the length of a video. Timestamps are passed through, so what is stored is exactly what decodes. The program is
the system's ffmpeg, else the one that comes with imageio-ffmpeg.
"""

import contextlib
import fcntl
import os
import re
import selectors
import shutil
import struct
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import ffmpeg
import imageio_ffmpeg

from video3d.console import UserError

# Containers that hold their own data; playlists and the like, which could point at other files, are no videos.
CONTAINERS = "avi,mov,mp4,matroska,webm,mpeg,mpegts,flv,asf,ogg"
FPS_MODE_SINCE = (5, 1)
SCALER = "bicubic+accurate_rnd"  # accurate rounding: the same frames whatever the processor
BUFFER_BYTES = 8 << 20  # frames of one video that wait in memory while those of another are being stored
PIPE_BYTES = 1 << 20  # what ffmpeg can be ahead of this process, where the system grants it
CHUNK_BYTES = 1 << 17
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
FRAME_HEADERS = {0xC0, 0xC1, 0xC2}


class ExtractedVideo(NamedTuple):
    """A row of the manifest: what was decoded from one video; sizes are those of the stored frames, in pixels.

    `status` is ok, damaged (part of it is stored) or unreadable (nothing is), and `message` says why; `bytes` counts
    those of the JPEGs, `content` is the beginning of the frames' SHA-256.
    """

    video: str
    frames: int
    fps: float
    width: int
    height: int
    bytes: int
    status: str
    message: str
    content: str


class Report(NamedTuple):
    """What ffmpeg said about a video: frame rate, end of the last frame in seconds if known, lines about errors."""

    fps: float
    end: float | None
    errors: list[str]


class Decoders:
    """Up to `threads` ffmpeg processes that decode `videos`; their frames are taken video by video, in order.

    A context manager: leaving it ends every process.
    """

    def __init__(self, videos: Iterable[Path], short_side: int, quality: int, threads: int):
        self._waiting = iter(videos)
        self._settings = (short_side, quality)
        self._threads = max(1, threads)
        self._started: deque[Decoding] = deque()
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(self, *_: object) -> None:
        for decoding in self._started:
            decoding.close()
        self._selector.close()

    def __iter__(self) -> Iterator["Decoding"]:
        self._start()
        while self._started:
            first = self._started[0]
            self._listen(first)
            yield first
            first.close()
            self._started.popleft()
            self._start()

    def frames(self, decoding: "Decoding") -> Iterator[bytes]:
        """The JPEGs of the video whose turn it is, as they come; meanwhile the next videos are read ahead."""
        while True:
            while decoding.frames:
                yield decoding.take()
            if decoding.ended:
                return
            self._read()

    def _start(self) -> None:
        """Start processes until enough are running; ended ones wait for their turn, but not too many of them."""
        while sum(not d.ended for d in self._started) < self._threads and len(self._started) < 2 * self._threads:
            video = next(self._waiting, None)
            if video is None:
                return
            self._started.append(Decoding(video, *self._settings))
            self._listen(self._started[-1])

    def _listen(self, decoding: "Decoding") -> None:
        if not decoding.ended and decoding.output not in self._selector.get_map():
            self._selector.register(decoding.output, selectors.EVENT_READ, decoding)

    def _read(self) -> None:
        for key, _ in self._selector.select():
            decoding: Decoding = key.data
            decoding.read()
            paused = decoding.buffered > BUFFER_BYTES and decoding is not self._started[0]
            if decoding.ended or paused:
                self._selector.unregister(decoding.output)
            if decoding.ended:
                self._start()


class Decoding:
    """One video on its way through ffmpeg; `frames` holds the JPEGs that have come and were not yet taken."""

    def __init__(self, video: Path, short_side: int, quality: int):
        self.video = video
        self.frames: deque[bytes] = deque()
        self.buffered = 0  # bytes
        self.ended = False
        self._first = b""
        self._splitter = JpegSplitter()
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        self._process = subprocess.Popen(
            extraction_command(video, short_side, quality),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._messages,
        )
        self.output = self._process.stdout
        with contextlib.suppress(
            AttributeError, OSError
        ):  # Linux only, and up to a limit: room for what ffmpeg is ahead
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)

    def read(self) -> None:
        """Take what the pipe has; it must have something, or have ended."""
        chunk = os.read(self.output.fileno(), CHUNK_BYTES)
        jpegs = self._splitter.feed(chunk) if chunk else self._splitter.finish()
        self.frames.extend(jpegs)
        self.buffered += sum(map(len, jpegs))
        if jpegs and not self._first:
            self._first = jpegs[0]
        self.ended = not chunk

    def take(self) -> bytes:
        """The next of `frames`, which must not be empty."""
        jpeg = self.frames.popleft()
        self.buffered -= len(jpeg)
        return jpeg

    def close(self) -> None:
        """End the process, if it is still running."""
        self._process.kill()
        self._process.wait()
        self.output.close()
        self._messages.close()

    def result(self, frames: int, size: int, content: str) -> ExtractedVideo:
        """The manifest row, once the pack has taken all `frames` of together `size` bytes."""
        exit_code = self._process.wait()
        self._messages.seek(0)
        report = read_report(self._messages.read().decode(errors="replace"))
        status, message = judge(report, frames, exit_code, announced_seconds(self.video))
        width, height = size_of(self._first) if frames else (0, 0)
        return ExtractedVideo(
            self.video.stem, frames, report.fps, width, height, size, status, message, content if frames else ""
        )


class JpegSplitter:
    """Takes a stream of JPEGs, chunk by chunk, and gives them one by one.

    An end marker counts only before a start marker or at the end of the stream: inside a JPEG that pair cannot occur.
    """

    def __init__(self) -> None:
        self._stream = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The JPEGs that are whole, and known to be so, once `chunk` has come."""
        self._stream += chunk
        jpegs = []
        start = 0
        while (end := self._stream.find(JPEG_END + JPEG_START, self._searched)) >= 0:
            jpegs.append(bytes(self._stream[start : end + 2]))
            start = self._searched = end + 2
        del self._stream[:start]
        self._searched = max(0, len(self._stream) - 3)
        return jpegs

    def finish(self) -> list[bytes]:
        """The last JPEG, if the stream ended with a whole one."""
        return [bytes(self._stream)] if self._stream.endswith(JPEG_END) else []


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a JPEG, from its frame header (ITU-T T.81, section B.2.2)."""
    position = len(JPEG_START)
    while jpeg[position + 1] not in FRAME_HEADERS:
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
    height, width = struct.unpack_from(">2H", jpeg, position + 5)
    return width, height


def judge(report: Report, frames: int, exit_code: int, announced: tuple[float, float] | None) -> tuple[str, str]:
    """Status and message of a video, of what ffmpeg reported and the container had announced.

    The container's announcement is compared with the end of the last frame, not with the number of frames: where the
    frame rate varies or B-frames are packed, the container counts frames that hold no picture. One frame less than
    announced is common in whole files.
    """
    first_and_last = "; ".join(dict.fromkeys(report.errors[:1] + report.errors[-1:]))
    if frames == 0:
        return "unreadable", first_and_last or "no frame decodes"
    if exit_code != 0 or report.errors:
        return "damaged", first_and_last or f"ffmpeg ended with exit code {exit_code}"
    if announced:
        seconds, per_frame = announced
        end = frames * per_frame if report.end is None else report.end
        if end < seconds - 1.5 * per_frame:
            return "damaged", f"ends after {end:.2f} s of the {seconds:.2f} s that its header announces"
    return "ok", ""


def read_report(messages: str) -> Report:
    """Parse what ffmpeg wrote at `-loglevel level+info`."""
    rate = re.search(r"Stream #0:.*Video:.*? ([\d.]+) (?:fps|tbr)", messages)
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", messages)
    end = sum(float(part) * seconds for part, seconds in zip(times[-1], (3600, 60, 1), strict=True)) if times else None
    audio = set(re.findall(r"Stream #0:.*Audio: (\w+)", messages))
    errors = []
    for line in messages.splitlines():
        match = re.match(r"(?P<contexts>(?:\[[^]]* @ \w+\] )*)\[(?:error|fatal|panic)\] (?P<text>.*\S)", line)
        if match and not any(f"[{codec}" in match["contexts"] for codec in audio):
            errors.append(re.sub(r" @ 0x\w+", "", match["contexts"]) + match["text"])
    return Report(float(rate[1]) if rate else 0.0, end, errors)


def announced_seconds(video: Path) -> tuple[float, float] | None:
    """Seconds of video and seconds per frame in the header of an AVI; None for other containers.

    A cut AVI can decode without an error, other containers cannot. Source: Microsoft, "AVI RIFF File Reference",
    structure AVISTREAMHEADER.
    """
    with video.open("rb") as file:
        header = file.read(1 << 16)
    position = header.find(b"strh", 12)
    while header.startswith(b"RIFF") and 0 <= position <= len(header) - 44:
        kind, scale, rate, _, length = struct.unpack_from("<4s16x4L", header, position + 8)
        if kind == b"vids":
            return (length * scale / rate, scale / rate) if rate and length else None
        position = header.find(b"strh", position + 4)
    return None


def extraction_command(video: Path, short_side: int, quality: int) -> list[str]:
    """The ffmpeg command that writes all frames of `video` to its standard output as JPEGs."""
    program = ffmpeg_program()
    as_decoded = {"fps_mode": "passthrough"} if ffmpeg_version(program) >= FPS_MODE_SINCE else {"vsync": 0}
    source = ffmpeg.input(
        f"file:{video}", an=None, threads=1, format_whitelist=CONTAINERS, protocol_whitelist="file,pipe"
    )
    scale = {"w": f"if(gt(iw,ih),-1,{short_side})", "h": f"if(gt(iw,ih),{short_side},-1)", "flags": SCALER}
    frames = source.video.filter("scale", **scale)
    return (
        frames.output(
            "pipe:",
            format="image2pipe",
            vcodec="mjpeg",
            threads=1,
            flags="+bitexact",
            huffman="default",
            flush_packets=0,
            **{"q:v": quality},
            **as_decoded,
        )
        .global_args("-hide_banner", "-nostdin", "-loglevel", "level+info", "-filter_complex_threads", "1")
        .compile(program)
    )


@cache
def ffmpeg_program() -> str:
    """Path of the ffmpeg in use. Raises UserError if there is none."""
    try:
        return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise UserError(f"no ffmpeg found: install ffmpeg, or imageio-ffmpeg for this platform ({error})") from error


@cache
def ffmpeg_version(program: str) -> tuple[int, ...]:
    """Version of an ffmpeg, such as (7, 1); that of a development build counts as the newest."""
    banner = subprocess.run([program, "-version"], capture_output=True, text=True, check=True).stdout
    match = re.match(r"ffmpeg version n?(\d+)\.(\d+)", banner)
    return (int(match[1]), int(match[2])) if match else (999,)
