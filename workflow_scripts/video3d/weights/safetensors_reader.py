"""Read safetensors: a header of JSON, which says where each tensor lies, and the tensors behind it.

The library of the format reads neither bfloat16 nor numbers of eight bits without PyTorch, and bounds the header by
100 MB. https://github.com/huggingface/safetensors#format
"""

import json
import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from video3d.common.documents import unique_keys
from video3d.weights.pickled import damage_named
from video3d.weights.stored_numbers import (
    NARROW,
    Narrow,
    checked_names,
    checked_shape,
    read_exactly,
    read_numbers,
    require_size,
)

LARGEST_HEADER = 1 << 20  # that of ResNet-200 takes a tenth; read as JSON it can take thirty times as much
TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1"},
}
NUMBERS: dict[str, np.dtype | Narrow] = {name: np.dtype(code) for name, code in TYPES.items()} | NARROW


def is_safetensors(path: Path) -> bool:
    """Return whether a file begins as safetensors do: with the length of a header, and the header."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Return the tensors by name. Raises UserError if the file is damaged."""
    with path.open("rb") as file, damage_named(path):
        length = int.from_bytes(read_exactly(file, 8), "little")
        if length > LARGEST_HEADER:
            raise ValueError("its header is larger than that of any network here")
        header = json.loads(read_exactly(file, length), object_pairs_hook=unique_keys)
        header.pop("__metadata__", None)
        checked_names(header)
        entries = sorted((_Entry.of(name, facts) for name, facts in header.items()), key=lambda entry: entry.start)
        place, end = 0, os.fstat(file.fileno()).st_size - 8 - length
        for entry in entries:
            if entry.start != place:
                raise ValueError("its tensors do not lie one behind the other")
            place = entry.stop
        if place != end:
            raise ValueError(f"it holds {end} bytes of numbers, but its header tells of {place}")
        return {
            entry.name: read_numbers(file, math.prod(entry.shape), entry.kind).reshape(entry.shape) for entry in entries
        }


class _Entry(NamedTuple):
    """What the header says of a tensor: its numbers are the bytes from `start` to `stop` behind the header."""

    name: str
    kind: np.dtype | Narrow
    shape: tuple[int, ...]
    start: int
    stop: int

    @classmethod
    def of(cls, name: str, facts: dict) -> "_Entry":
        """Return the entry of that name. Raises ValueError, KeyError or the like if it is none."""
        if facts["dtype"] not in NUMBERS:
            raise ValueError(f"it holds numbers of the type {facts['dtype']!r:.20}, not one of {', '.join(NUMBERS)}")
        start, stop = facts["data_offsets"]
        if type(start) is not int or type(stop) is not int:
            raise ValueError("a tensor has no place in it")
        entry = cls(name, NUMBERS[facts["dtype"]], checked_shape(facts["shape"]), start, stop)
        require_size(entry.shape, entry.kind, stop - start)
        return entry
