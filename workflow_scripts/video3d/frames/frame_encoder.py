"""JPEGs of the frames that ffmpeg sends as a stream of raw pictures."""

import io

import numpy as np
import simplejpeg

PIPE_BYTES = 1 << 18  # what ffmpeg can be ahead of this process, and what is read at once
FRAME_MARK = b"FRAME\n"


class FrameEncoder:
    """Encode the frames of a YUV4MPEG2 stream as JPEGs, while the stream is read from a pipe.

    libjpeg-turbo encodes them: ffmpeg's own encoder takes about twice as long.
    Source of the format: "yuv4mpeg(5)", MJPEG Tools; ffmpeg writes no parameters after FRAME.
    """

    def __init__(self, quality: int):
        self.size = (0, 0)  # width and height in pixels, known with the first frame
        self._quality = quality
        self._stream = bytearray(PIPE_BYTES)
        self._filled = 0

    def read(self, pipe: io.RawIOBase) -> list[bytes] | None:
        """Read what the pipe holds; return the JPEGs of the frames that are whole now, None at the end of the stream.

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
        """Read the size of the frames; return where the first one begins, 0 if the header has not come yet."""
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
