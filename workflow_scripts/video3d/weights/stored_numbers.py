"""Numbers as files of weights hold them: read in pieces, so that no more is in memory than what is asked for.

NumPy has neither bfloat16 nor numbers of eight bits; they become the next wider type that holds each of them exactly.
"""

import codecs
import math
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from video3d.common.printable import shortened

PIECE = 1 << 20  # bytes that are read at once
DIMENSIONS = 8


class Narrow(NamedTuple):
    """A type of numbers that NumPy lacks: the type of its bits, the wider one, and the way from one to the other."""

    bits: np.dtype
    wide: np.dtype
    widen: Callable[[np.ndarray], np.ndarray]


def _e4m3() -> np.ndarray:
    """Return the 256 numbers of 1 + 4 + 3 bits of "FP8 Formats for Deep Learning" (2022): no infinity, bias 7."""
    codes = np.arange(128)
    exponents, fractions = codes >> 3, codes & 7
    positive = np.where(exponents == 0, fractions * 2.0**-9, (8 + fractions) * 2.0 ** (exponents - 10))
    positive[127] = np.nan
    return np.concatenate([positive, -positive]).astype("<f2")


E4M3 = _e4m3()
NARROW = {  # bfloat16 is the upper half of a float32, E5M2 that of a float16
    "BF16": Narrow(np.dtype("<u2"), np.dtype("<f4"), lambda bits: (bits.astype("<u4") << 16).view("<f4")),
    "F8_E5M2": Narrow(np.dtype("u1"), np.dtype("<f2"), lambda bits: (bits.astype("<u2") << 8).view("<f2")),
    "F8_E4M3": Narrow(np.dtype("u1"), np.dtype("<f2"), lambda bits: E4M3[bits]),
}


def itemsize(kind: np.dtype | Narrow) -> int:
    """Return how many bytes a number takes in the file."""
    return (kind.bits if isinstance(kind, Narrow) else kind).itemsize


def read_exactly(file: BinaryIO, size: int) -> bytes:
    """Return the next `size` bytes, for a size that is known to be small. Raises EOFError if there are fewer."""
    content = file.read(size)
    if len(content) < size:
        raise EOFError("it ends too early")
    return content


def read_numbers(file: BinaryIO, count: int, kind: np.dtype | Narrow) -> np.ndarray:
    """Return the next `count` numbers, shape [count], in `kind` or the wider one.

    The caller has made sure that the file is as long as that. Raises EOFError if it is not.
    """
    bits, wide, widen = kind if isinstance(kind, Narrow) else (kind, kind, np.asarray)
    numbers = np.empty(count, wide)
    step = PIECE // bits.itemsize
    for start in range(0, count, step):
        piece = numbers[start : start + step]
        piece[:] = widen(np.frombuffer(read_exactly(file, piece.size * bits.itemsize), bits))
    return numbers


def read_latin1(file: BinaryIO, size: int) -> np.ndarray:
    """Return the bytes, uint8, that the next `size` bytes of UTF-8 spell, as pickles of protocol 2 have them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    content = bytearray()
    for start in range(0, size, PIECE):
        piece = read_exactly(file, min(PIECE, size - start))
        content += decoder.decode(piece, final=start + PIECE >= size).encode("latin1")
    return np.frombuffer(content, np.uint8)


def checked_shape(shape: Any, least: int = 1) -> tuple[int, ...]:
    """Return the shape, or with `least` 0 the strides, of a tensor. Raises ValueError unless they are whole numbers."""
    if not isinstance(shape, tuple | list) or len(shape) > DIMENSIONS:
        raise ValueError("the shape of a tensor is none")
    if not all(type(length) is int and length >= least for length in shape):
        raise ValueError("the shape of a tensor is none")
    return tuple(shape)


def require_size(shape: tuple[int, ...], kind: np.dtype | Narrow, size: int) -> None:
    """Raise ValueError unless a tensor takes `size` bytes."""
    if math.prod(shape) * itemsize(kind) != size:
        raise ValueError(f"a tensor of shape {shortened(str(list(shape)))} has {size} bytes of numbers")


def checked_names(names: Iterable[Any]) -> None:
    """Raise ValueError unless all names are printable text."""
    for name in names:
        if not isinstance(name, str):
            shown = f", {name}" if isinstance(name, int | float) else ""
            raise ValueError(
                f"it has a key that is not text, but {type(name).__name__}{shown}; save the network's state dict alone"
            )
        if not name.isprintable():
            raise ValueError("it has a name with characters that cannot be printed")
