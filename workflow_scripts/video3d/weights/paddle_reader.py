"""Read files of weights of `paddle.save` (`.pdparams`): a pickled dict of NumPy arrays, ours as well as others'.

Even NumPy's own functions are replaced: given a forged element type, they would take the numbers of an array for memory
addresses.
"""

from pathlib import Path
from typing import Any

import numpy as np

from video3d.common.errors import UserError
from video3d.common.printable import few
from video3d.weights.pickle_reader import read_pickle
from video3d.weights.pickled import STATE_DICTS, Made, Run, Table, damage_named
from video3d.weights.stored_numbers import NARROW, checked_shape, require_size

INTERNAL_NAMES = "StructuredToParameterName@@"  # those of paddle.save itself
NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
BYTE_ORDERS = ("<", ">", "=", "|")


def read_paddle(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name: those of the state dict in it, if it is a checkpoint.

    Raises UserError if it is damaged, holds anything but arrays, or would run a program when unpickled.
    """
    with path.open("rb") as file, damage_named(path):
        content = read_pickle(file, path, ALLOWED_GLOBALS)
        if not isinstance(content, Table):
            raise UserError(f"{path} holds no weights by name, but {type(content).__name__}")
        arrays = content.tensors()
        arrays.pop(INTERNAL_NAMES, None)
        strangers = [name for name, value in arrays.items() if not isinstance(value, _Array)]
        if strangers or not arrays:
            raise UserError(
                f"{path} holds no weights by name, but {few(strangers) or 'nothing'}; expected are the tensors of a "
                f"network, or a checkpoint with them under {' or '.join(STATE_DICTS)}"
            )
        return {name: array.numpy() for name, array in arrays.items()}


class _ArrayType(Made):
    """Replaces `numpy.dtype`: a type of numbers by name, e.g. "f4", and its byte order."""

    def __init__(self, name: Any, _align: Any = False, _copy: Any = False):
        if name not in NUMBERS:
            raise ValueError(
                f"an array of {name!r} holds no numbers" if isinstance(name, str) else "no type of numbers"
            )
        self.dtype = np.dtype(name)

    def build(self, state: Any) -> None:
        """Take the byte order."""
        _version, order, *_rest = state
        if order not in BYTE_ORDERS:
            raise ValueError("an array has no known byte order")
        self.dtype = self.dtype.newbyteorder(order)


class _Array(Made):
    """Replaces `numpy.ndarray`, which is made empty and told its values afterwards."""

    def __init__(self, _kind: Any, _shape: Any, _type: Any):
        self._state: Any = None

    def build(self, state: Any) -> None:
        """Take shape, type and values."""
        self._state = state

    def numpy(self) -> np.ndarray:
        """Return the array itself. Raises ValueError if the pickle has told no whole one.

        NumPy has no bfloat16: Paddle stores such numbers as uint16, which no weights are.
        """
        _version, shape, kind, column_major, data = self._state
        shape, dtype = checked_shape(shape), kind.dtype
        content = data.content if isinstance(data, Run) else np.frombuffer(_encode(data, "latin1"), np.uint8)
        require_size(shape, dtype, len(content))
        array = content.view(dtype).reshape(shape, order="F" if column_major else "C")
        return NARROW["BF16"].widen(array) if dtype.newbyteorder("<") == NARROW["BF16"].bits else array


def _encode(text: str | bytes | Run, encoding: str) -> bytes | Run:
    """Replace `_codecs.encode`, which protocol 2 uses for bytes; a long text is read as bytes anyway."""
    if encoding != "latin1":
        raise ValueError("it holds bytes in an encoding that no writer uses")
    return text.encode("latin1") if isinstance(text, str) else text


def _tensor(pair: Any) -> Any:
    """Replace `tuple`, by which paddle.save writes a tensor in a nested dict: as its name in Paddle, and the array."""
    is_tensor = isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[1], _Array)
    return pair[1] if is_tensor else pair


ALLOWED_GLOBALS = {
    "collections.OrderedDict": Table,
    "builtins.tuple": _tensor,
    "__builtin__.tuple": _tensor,  # in Python 2, and so in protocol 2
    "_codecs.encode": _encode,
    "numpy.ndarray": None,  # named, never called
    "numpy.dtype": _ArrayType,
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy._core.multiarray._reconstruct": _Array,
}
