"""Frames out of videos: ffmpeg decodes and scales them, libjpeg-turbo makes JPEGs of them, a frame pack takes those.

One process of one thread per video, several at once; nothing but the pack touches the disk, and memory does not grow
with the length of a video. Timestamps are passed through, so what is stored is exactly what decodes. The program is
the system's ffmpeg, else the one that comes with imageio-ffmpeg.
"""

import contextlib
import fcntl
import selectors
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from video3d.common.files import sha256
from video3d.frames.ffmpeg import extraction_command, read_messages
from video3d.frames.frame_encoder import PIPE_BYTES, FrameEncoder
from video3d.frames.video_status import announced_length, video_status

BUFFER_BYTES = 8 << 20  # frames of one video that wait in memory while those of another are being stored
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
        """Yield the JPEGs of the video whose turn it is, as they come; meanwhile the next videos are read ahead."""
        while True:
            while decoding.frames:
                yield decoding.take()
            if decoding.ended:
                return
            self._read()

    def _start(self) -> None:
        """Start processes until enough are running; those that have ended wait for their turn, but not too many."""
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
        """Take what the pipe holds now; it must hold something, or have ended."""
        try:
            jpegs = self._encoder.read(self.output)
        except ValueError as error:
            jpegs, self._problem = None, str(error)
            self._process.kill()
        self.ended = jpegs is None
        self.frames.extend(jpegs or [])
        self.buffered += sum(map(len, jpegs or []))

    def take(self) -> bytes:
        """Return the next of `frames`, which must not be empty."""
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
        """Return the row of the manifest.

        Args:
            frames: how many frames the pack has taken; all must be taken.
            size: of these frames, in bytes.
            content: the beginning of their SHA-256.
        """
        exit_code = self._process.wait()
        self._messages.seek(0)
        said = read_messages(self._messages.read().decode(errors="replace"))
        said.errors.extend([self._problem] if self._problem else [])
        announced, source = None, ""
        try:
            announced, source = announced_length(self.video), sha256(self.video)[:SOURCE_DIGITS]
        except OSError as error:
            said.errors.append(f"it cannot be read: {error.strerror}")
        status, message = video_status(said, frames, exit_code, announced)
        width, height = self._encoder.size if frames else (0, 0)
        return ExtractedVideo(
            self.video.stem, frames, said.fps, width, height, size, status, message,
            content if frames else "", source,
        )  # fmt: skip
