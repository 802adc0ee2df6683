"""Frames out of videos: ffmpeg decodes and scales them, libjpeg-turbo makes JPEGs of them, a frame pack takes those.

One process of one thread per video, several at once; nothing but the pack touches the disk, and memory does not grow
with the length of a video. Timestamps are passed through, so what is stored is exactly what decodes. The program is
the system's ffmpeg, else the one that comes with imageio-ffmpeg.
"""

import contextlib
import fcntl
import io
import selectors
import struct
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import simplejpeg

from video3d.common.files import sha256
from video3d.frames.ffmpeg import Report, extraction_command, read_report

BUFFER_BYTES = 8 << 20  # frames of one video that wait in memory while those of another are being stored
PIPE_BYTES = 1 << 18  # what ffmpeg can be ahead of this process, and what is read at once
FRAME_MARK = b"FRAME\n"
SOURCE_DIGITS = 32  # of a SHA-256 in hexadecimal: no two videos share them by chance


class ExtractedVideo(NamedTuple):
    """A row of the manifest: what was decoded from one video; sizes are those of the stored frames, in pixels.

    `status` is ok, damaged (part of it is stored) or unreadable (nothing is), and `message` says why; `bytes` counts
    those of the JPEGs, `content` is the beginning of the frames' SHA-256. `source` is that of the video file, which is
    the same whatever its name and however its frames are stored.
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
    source: str


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
        self._encoder = FrameEncoder(quality)
        self._problem = ""
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        self._process = subprocess.Popen(
            extraction_command(video, short_side),
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._messages,
        )
        self.output = self._process.stdout
        with contextlib.suppress(AttributeError, OSError):  # Linux only, and up to a limit
            fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def read(self) -> None:
        """Take what the pipe has; it must have something, or have ended."""
        try:
            jpegs = self._encoder.read(self.output)
        except ValueError as error:
            jpegs, self._problem = None, str(error)
            self._process.kill()
        self.ended = jpegs is None
        self.frames.extend(jpegs or [])
        self.buffered += sum(map(len, jpegs or []))

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
        report.errors.extend([self._problem] if self._problem else [])
        status, message = judge(report, frames, exit_code, announced_seconds(self.video))
        width, height = self._encoder.size if frames else (0, 0)
        return ExtractedVideo(
            self.video.stem, frames, report.fps, width, height, size, status, message,
            content if frames else "", sha256(self.video)[:SOURCE_DIGITS],
        )  # fmt: skip


class FrameEncoder:
    """Makes JPEGs of the frames of a YUV4MPEG2 stream, which is read from a pipe as it comes.

    libjpeg-turbo encodes them: ffmpeg's own encoder takes about twice as long.
    Source of the format: "yuv4mpeg(5)", MJPEG Tools; ffmpeg writes no parameters after FRAME.
    """

    def __init__(self, quality: int):
        self.size = (0, 0)  # width and height in pixels, known with the first frame
        self._quality = quality
        self._stream = bytearray(PIPE_BYTES)
        self._filled = 0

    def read(self, pipe: io.RawIOBase) -> list[bytes] | None:
        """The frames that are whole with what the pipe has now; None at the end of the stream.

        Raises ValueError if a frame is not where the one before it ends.
        """
        with memoryview(self._stream) as room:
            count = pipe.readinto(room[self._filled :])
        if not count:
            return None
        self._filled += count
        start = 0 if any(self.size) else self._read_header()
        jpegs = []
        while any(self.size) and self._filled - start >= self._frame_bytes:
            jpegs.append(self._encode(start))
            start += self._frame_bytes
        self._stream[: self._filled - start] = self._stream[start : self._filled]
        self._filled -= start
        return jpegs

    def _read_header(self) -> int:
        """Learn the size; returns where the first frame begins, 0 if the header has not come yet."""
        end = self._stream.find(b"\n", 0, self._filled)
        if end < 0:
            return 0
        width, height = (int(word[1:]) for word in self._stream[:end].split() if word[:1] in (b"W", b"H"))
        self.size = width, height
        self._chroma = (height + 1) // 2, (width + 1) // 2
        self._frame_bytes = len(FRAME_MARK) + width * height + 2 * self._chroma[0] * self._chroma[1]
        self._stream.extend(bytes(max(0, end + 1 + self._frame_bytes - len(self._stream))))
        return end + 1

    def _encode(self, start: int) -> bytes:
        if not self._stream.startswith(FRAME_MARK, start):
            raise ValueError("the stream of its frames is broken")
        planes, position = [], start + len(FRAME_MARK)
        for rows, columns in (self.size[::-1], self._chroma, self._chroma):
            plane = np.frombuffer(self._stream, np.uint8, rows * columns, position)
            planes.append(plane.reshape(rows, columns))
            position += rows * columns
        return simplejpeg.encode_jpeg_yuv_planes(*planes, quality=self._quality)


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
