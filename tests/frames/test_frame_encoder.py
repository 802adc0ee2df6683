"""JPEGs of the frames of a stream, wherever the pipe stops."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
import simplejpeg

from video3d.frames import frame_encoder
from video3d.frames.frame_encoder import FrameEncoder


class Trickle(io.BytesIO):
    """A pipe that has at most `chunk` bytes at a time."""

    def __init__(self, content: bytes, chunk: int):
        super().__init__(content)
        self.chunk = chunk

    def readinto(self, buffer: memoryview) -> int:
        return super().readinto(buffer[: self.chunk])


def y4m(pictures: Sequence[tuple[np.ndarray, ...]]) -> bytes:
    """A YUV4MPEG2 stream of pictures of three planes each, of 17 × 9 pixels."""
    return b"YUV4MPEG2 W17 H9 F25:1 Ip C420jpeg\n" + b"".join(
        b"FRAME\n" + b"".join(plane.tobytes() for plane in planes) for planes in pictures
    )


def encode_all(stream: bytes, chunk: int) -> list[bytes]:
    encoder, pipe, jpegs = FrameEncoder(quality=100), Trickle(stream, chunk), []
    while (found := encoder.read(pipe)) is not None:
        jpegs += found
    assert encoder.size == (17, 9)
    return jpegs


@pytest.mark.parametrize("chunk", [1, 7, 40, 1000])
def test_frames_are_told_apart_wherever_the_pipe_stops(chunk):
    planes = [[np.full((9, 17), 40 * n, np.uint8), *np.full((2, 5, 9), 128, np.uint8)] for n in range(5)]
    jpegs = encode_all(y4m(planes) + b"FRAME\nhalf a picture", chunk)
    assert [simplejpeg.decode_jpeg(jpeg).shape for jpeg in jpegs] == [(9, 17, 3)] * 5
    assert [simplejpeg.decode_jpeg(jpeg).mean() for jpeg in jpegs] == pytest.approx([0, 40, 80, 120, 160], abs=1)


def test_frames_larger_than_what_is_read_at_once(monkeypatch):
    monkeypatch.setattr(frame_encoder, "PIPE_BYTES", 64)
    planes = [[np.full((9, 17), 40 * n, np.uint8), *np.full((2, 5, 9), 128, np.uint8)] for n in range(5)]
    assert len(encode_all(y4m(planes), 1000)) == 5


def test_a_broken_stream_is_no_frame():
    planes = [[np.full((9, 17), 40, np.uint8), *np.full((2, 5, 9), 128, np.uint8)]]
    with pytest.raises(ValueError, match="stream of its frames is broken"):
        encode_all(y4m(planes) + b"f" * 1000, 1000)
