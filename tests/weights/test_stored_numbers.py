"""Numbers of types that NumPy lacks, against Paddle's and against values by hand; sizes, shapes and names."""

import io

import numpy as np
import paddle
import pytest

from video3d.weights.stored_numbers import NARROW, PIECE, checked_names, checked_shape, read_latin1, read_numbers


def read_all(kind: str) -> np.ndarray:
    """Every number of a type, by its bits."""
    bits = NARROW[kind].bits
    codes = np.arange(256**bits.itemsize, dtype=bits)
    return read_numbers(io.BytesIO(codes.tobytes()), codes.size, NARROW[kind])


@pytest.mark.parametrize(
    ("kind", "paddles", "signed"),
    [("BF16", "bfloat16", "i2"), ("F8_E4M3", "float8_e4m3fn", "u1"), ("F8_E5M2", "float8_e5m2", "u1")],
)
def test_every_number_is_that_of_paddle(kind, paddles, signed):
    codes = np.arange(256 ** NARROW[kind].bits.itemsize, dtype=NARROW[kind].bits)
    expected = paddle.to_tensor(codes.view(signed)).view(paddles).astype("float32").numpy()
    np.testing.assert_array_equal(read_all(kind).astype("f4"), expected)


def test_numbers_by_hand():
    """Table 1 of "FP8 Formats for Deep Learning": the largest, the smallest normal, the smallest number."""
    assert [read_all("F8_E4M3")[code] for code in (0x7E, 0x08, 0x01, 0xFE)] == [448, 2**-6, 2**-9, -448]
    assert [read_all("F8_E5M2")[code] for code in (0x7B, 0x04, 0x01, 0xFC)] == [57344, 2**-14, 2**-16, -np.inf]
    assert [read_all("BF16")[code] for code in (0x3F80, 0xC049, 0x7F80)] == [1, -3.140625, np.inf]
    assert np.isnan(read_all("F8_E4M3")[[0x7F, 0xFF]]).all()


@pytest.mark.parametrize("count", [PIECE // 2 - 1, PIECE // 2, PIECE + 3])
def test_pieces_are_put_together(count):
    codes = np.arange(count).astype("<u2")
    numbers = read_numbers(io.BytesIO(codes.tobytes()), count, NARROW["BF16"])
    assert np.array_equal(numbers.view("<u4") >> 16, codes) and not (numbers.view("<u4") & 0xFFFF).any()
    assert np.array_equal(read_numbers(io.BytesIO(codes.tobytes()), count, np.dtype("<u2")), codes)
    with pytest.raises(EOFError, match="ends too early"):
        read_numbers(io.BytesIO(codes.tobytes()[:-1]), count, np.dtype("<u2"))


def test_bytes_that_are_spelt_as_text():
    """A letter of two bytes lies across the end of a piece."""
    content = b"a" * (PIECE - 1) + bytes(range(256))
    spelt = content.decode("latin1").encode()
    assert read_latin1(io.BytesIO(spelt), len(spelt)).tobytes() == content
    for wrong in ("a€".encode(), b"a\xff", b"a\xc3"):
        with pytest.raises(UnicodeError):
            read_latin1(io.BytesIO(wrong), len(wrong))


@pytest.mark.parametrize("shape", [None, 3, "33", (0,), (-1, -2), (True,), (2.0,), (1,) * 9, ((1,),)])
def test_a_shape_is_a_few_whole_numbers(shape):
    with pytest.raises(ValueError, match="shape"):
        checked_shape(shape)


def test_names_are_printable_text():
    checked_names(["conv1.weight", "größe", ""])
    for name in (1, None, b"a", ("a",), "a\n", "\x1b[31m", "\u202e"):
        with pytest.raises(ValueError, match=r"not text|cannot be printed"):
            checked_names([name])
