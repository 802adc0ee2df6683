"""Read PyTorch's files of weights (`torch.save`) without PyTorch, and without running what is pickled in them.

Two layouts: since PyTorch 1.6 a ZIP archive with a pickle in `<name>/data.pkl` and each storage in `<name>/data/<key>`;
before that five pickles in a row, the last a list of storage keys, followed by the storages in that order.
"""

import math
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from video3d.common.errors import UserError
from video3d.weights.restricted_pickle import CONTAINER_GLOBALS, WithoutState, damage_named, read_pickle

LEGACY_START = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
ZIP_START = b"PK\x03\x04"
BFLOAT16 = "bfloat16"
NUMBERS = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": BFLOAT16, "Long": "<i8", "Int": "<i4", "Short": "<i2",
    "Char": "|i1", "Byte": "|u1", "Bool": "|b1",
}  # fmt: skip


def is_torch(path: Path) -> bool:
    """Return whether a file begins as those of `torch.save` do."""
    with path.open("rb") as file:
        return file.read(len(LEGACY_START)).startswith((LEGACY_START, ZIP_START))


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Return the state dict in a file of `torch.save`, as arrays.

    The file holds the state dict, or a dict with it under `state_dict`, as published checkpoints do. Raises UserError
    if it holds something else, is damaged, or would run a program when unpickled.
    """
    with path.open("rb") as file, damage_named(path):
        read = _read_zip if file.read(len(ZIP_START)) == ZIP_START else _read_legacy
        file.seek(0)
        return {name: tensor.numpy() for name, tensor in read(file, path).items()}


class Storage(WithoutState):
    """A run of numbers that tensors are views of; `data` are its bytes, once they are read."""

    def __init__(self, kind: str, key: str, size: int):
        if kind not in NUMBERS.values() or not isinstance(size, int) or size < 0:
            raise ValueError("it holds something that is not a tensor")
        self.kind, self.key, self.size = kind, key, size
        self.type = np.dtype("<u2" if kind == BFLOAT16 else kind)
        self.data = b""

    def read(self, file: BinaryIO) -> None:
        """Take the data from where the file is. Raises ValueError if it ends too early."""
        self.data = file.read(self.size * self.type.itemsize)
        if len(self.data) < self.size * self.type.itemsize:
            raise ValueError("it ends too early")


class Tensor(WithoutState):
    """Replaces a PyTorch tensor: a strided view of a storage; offset and strides count numbers."""

    def __init__(self, storage: Storage, offset: int, shape: tuple, strides: tuple, *_rest: Any):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def numpy(self) -> np.ndarray:
        """Return a copy of the values; bfloat16, which NumPy lacks, as float32.

        Raises ValueError if the tensor leaves its storage.
        """
        if math.prod(self.shape) > self.storage.size:
            raise ValueError("a tensor is larger than its data")
        size = self.storage.type.itemsize
        strides = [stride * size for stride in self.strides]
        # This constructor checks that the view stays within its buffer.
        view = np.ndarray(self.shape, self.storage.type, self.storage.data, self.offset * size, strides)
        return (view.astype("<u4") << 16).view("<f4") if self.storage.kind == BFLOAT16 else view.copy()


def _read_zip(file: BinaryIO, path: Path) -> dict[str, Tensor]:
    """Return the state dict, with the data filled in."""
    with zipfile.ZipFile(file) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise UserError(f"{path} is a ZIP archive, but not of PyTorch weights: there is no data.pkl in it")
        folder = pickles[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise UserError(f"{path} was written on a big-endian machine; save it anew on another")
        with archive.open(pickles[0]) as pickled:
            content = read_pickle(pickled, path, ALLOWED_GLOBALS, _StorageTable())
        tensors = _state_dict(content, path)
        for storage in {tensor.storage for tensor in tensors.values()}:
            with archive.open(f"{folder}data/{storage.key}") as data:
                storage.read(data)
    return tensors


def _read_legacy(file: BinaryIO, path: Path) -> dict[str, Tensor]:
    """Return the state dict, with the data filled in."""
    for _header in ("magic number", "protocol version", "facts about the machine"):
        read_pickle(file, path, {})
    table = _StorageTable()
    content = read_pickle(file, path, ALLOWED_GLOBALS, table)
    for key in read_pickle(file, path, {}):
        if int.from_bytes(file.read(8), "little") != table.storages[key].size:
            raise ValueError("a storage has another size than its tensors say")
        table.storages[key].read(file)
    return _state_dict(content, path)


class _StorageTable:
    """Answers a pickle's references to storages, with one object for each key."""

    def __init__(self):
        self.storages: dict[str, Storage] = {}

    def __call__(self, reference: tuple) -> Storage:
        _what, kind, key, _location, size, *view = reference
        if any(view):
            raise ValueError("it holds views of storages, which only PyTorch itself reads")
        return self.storages.setdefault(key, Storage(kind, key, size))


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path} holds neither a state dict nor a dict with one under `state_dict`")
    return dict(state)


def _rebuild_parameter(tensor: Tensor, *_rest: Any) -> Tensor:
    return tensor


ALLOWED_GLOBALS = {
    **CONTAINER_GLOBALS,
    "torch._utils._rebuild_tensor": Tensor,
    "torch._utils._rebuild_tensor_v2": Tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch.Size": tuple,
    **{f"torch.{name}Storage": kind for name, kind in NUMBERS.items()},
    **{f"torch.cuda.{name}Storage": kind for name, kind in NUMBERS.items()},
}
