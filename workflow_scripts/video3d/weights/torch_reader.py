"""Read PyTorch's files of weights (`torch.save`) without PyTorch, and without running what is pickled in them.

Two layouts: since PyTorch 1.6 a ZIP archive with a pickle in `<name>/data.pkl` and each storage in `<name>/data/<key>`;
before that five pickles in a row, the last a list of storage keys, followed by the storages in that order.
"""

import io
import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from video3d.common.bounded_zip import open_bounded_zip
from video3d.common.errors import UserError
from video3d.weights.pickle_reader import read_pickle
from video3d.weights.pickled import STATE_DICTS, Replacement, Table, damage_named
from video3d.weights.stored_numbers import (
    NARROW,
    Narrow,
    checked_names,
    checked_shape,
    itemsize,
    read_exactly,
    read_numbers,
)

LEGACY_START = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
ZIP_START = b"PK\x03\x04"
LARGEST_PICKLE = 2 << 20  # beside its tensors; that of ResNet-200 with its optimizer takes a seventh
TYPES = {
    **{"Double": "<f8", "Float": "<f4", "Half": "<f2", "Long": "<i8", "Int": "<i4", "Short": "<i2"},
    **{"Char": "|i1", "Byte": "|u1", "Bool": "|b1"},
}
NUMBERS = {name: np.dtype(code) for name, code in TYPES.items()} | {"BFloat16": NARROW["BF16"]}


def is_torch(path: Path) -> bool:
    """Return whether a file begins as those of `torch.save` do."""
    with path.open("rb") as file:
        return file.read(len(LEGACY_START)).startswith((LEGACY_START, ZIP_START))


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Return the state dict in a file of `torch.save`, as arrays; those of one storage share its memory.

    The file holds the state dict, or a dict with it beside other things, as published checkpoints do. Raises UserError
    if it holds something else, is damaged, or would run a program when unpickled.
    """
    with path.open("rb") as file, damage_named(path):
        if file.read(len(ZIP_START)) == ZIP_START:
            tensors = _read_zip(path)
        else:
            file.seek(0)
            tensors = _read_legacy(file, path)
        return {name: tensor.numpy() for name, tensor in tensors.items()}


class _Storage:
    """A run of numbers that tensors are views of; `values` are these numbers, once they are read."""

    def __init__(self, kind: np.dtype | Narrow, key: str, size: int):
        self.kind, self.key, self.size = kind, key, size
        self.values: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        return self.size * itemsize(self.kind)

    def read(self, file: BinaryIO) -> None:
        """Take the numbers from where the file, which is long enough, is."""
        self.values = read_numbers(file, self.size, self.kind)


class _Tensor:
    """Replaces a PyTorch tensor: a strided view of a storage; offset and strides count numbers."""

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_rest: Any):
        if not isinstance(storage, _Storage) or type(offset) is not int:
            raise ValueError("it holds something that is not a tensor")
        self.storage, self.offset = storage, offset
        self.shape, self.strides = checked_shape(shape), checked_shape(strides, least=0)
        if math.prod(self.shape) > storage.size:
            raise ValueError("a tensor is larger than its data")

    def numpy(self) -> np.ndarray:
        """Return the values. Raises ValueError if the tensor leaves its storage."""
        values = self.storage.values
        if values is None:
            raise ValueError("the numbers of a tensor are missing")
        strides = [stride * values.itemsize for stride in self.strides]
        # This constructor checks that the view stays within its buffer.
        return np.ndarray(self.shape, values.dtype, values, self.offset * values.itemsize, strides)


def _read_zip(path: Path) -> dict[str, _Tensor]:
    """Return the state dict, with the numbers filled in."""
    with open_bounded_zip(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            found = f"there are {len(pickles)}" if pickles else "there is no"
            raise UserError(f"{path} is a ZIP archive, but not of PyTorch weights: {found} data.pkl in it")
        folder = pickles[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and _small_member(archive, f"{folder}byteorder") != b"little":
            raise UserError(f"{path} was written on a big-endian machine; save it anew on another")
        pickled = io.BytesIO(_small_member(archive, pickles[0]))
        tensors = _state_dict(read_pickle(pickled, path, ALLOWED_GLOBALS, _StorageTable()), path)
        for storage in {tensor.storage for tensor in tensors.values()}:
            member = archive.getinfo(f"{folder}data/{storage.key}")
            if member.file_size != storage.nbytes:
                raise ValueError("a storage has another size than its tensors say")
            with archive.open(member) as data:
                storage.read(data)
    return tensors


def _read_legacy(file: BinaryIO, path: Path) -> dict[str, _Tensor]:
    """Return the state dict, with the numbers filled in."""
    for _header in ("magic number", "protocol version", "facts about the machine"):
        read_pickle(file, path, {})
    table = _StorageTable()
    tensors = _state_dict(read_pickle(file, path, ALLOWED_GLOBALS, table), path)
    wanted = {tensor.storage for tensor in tensors.values()}
    keys = read_pickle(file, path, {})
    checked_names(keys)
    start, end = file.tell(), file.seek(0, os.SEEK_END)
    for key in keys:
        storage = table.storages[key]
        file.seek(start)
        if int.from_bytes(read_exactly(file, 8), "little") != storage.size:
            raise ValueError("a storage has another size than its tensors say")
        start += 8 + storage.nbytes
        if start > end:
            raise EOFError("it ends too early")
        if storage in wanted and storage.values is None:
            storage.read(file)
    return tensors


def _small_member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > LARGEST_PICKLE:
        raise ValueError(f"{name} is larger than the description of a network's tensors")
    return archive.read(name)


class _StorageTable:
    """Answers a pickle's references to storages, with one object for each key."""

    def __init__(self):
        self.storages: dict[str, _Storage] = {}

    def __call__(self, reference: Any) -> _Storage:
        _what, kind, key, _location, size, *view = reference
        if not isinstance(kind, Replacement) or not isinstance(kind.value, Narrow | np.dtype):
            raise ValueError("it holds something that is not a tensor")
        if any(view):
            raise ValueError("it holds views of storages, which only PyTorch itself reads")
        checked_names([key])
        checked_shape((size,), least=0)
        storage = self.storages.setdefault(key, _Storage(kind.value, key, size))
        if storage.size != size or storage.kind is not kind.value:
            raise ValueError("a storage has another size than its tensors say")
        return storage


def _state_dict(content: Any, path: Path) -> dict[str, _Tensor]:
    tensors = content.tensors() if isinstance(content, Table) else {}
    if not tensors or not all(isinstance(value, _Tensor) for value in tensors.values()):
        raise UserError(f"{path} holds neither a state dict nor a dict with one under {' or '.join(STATE_DICTS)}")
    return tensors


def _rebuild_parameter(tensor: Any, *_rest: Any) -> Any:
    return tensor


ALLOWED_GLOBALS = {
    "collections.OrderedDict": Table,
    "torch._utils._rebuild_tensor": _Tensor,
    "torch._utils._rebuild_tensor_v2": _Tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch.Size": checked_shape,
    **{f"torch.{name}Storage": kind for name, kind in NUMBERS.items()},
    **{f"torch.cuda.{name}Storage": kind for name, kind in NUMBERS.items()},
}
