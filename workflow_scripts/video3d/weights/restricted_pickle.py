"""Read what pickles say about arrays without doing what they say.

A pickle may name any function of any installed package and have it called. Here the names are looked up in a table of
harmless replacements, `allowed_globals`; a name that is not in it ends the reading. Even NumPy's own functions are
replaced: given a forged element type, they would take the numbers of an array for memory addresses.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from video3d.common.errors import UserError


def read_pickle(
    file: BinaryIO,
    path: Path,
    allowed_globals: Mapping[str, Any],
    persistent_load: Callable[[tuple], Any] | None = None,
) -> Any:
    """Return the next object in `file`, built of plain containers, numbers, text and what `allowed_globals` make.

    Args:
        file: a pickle, at its start.
        path: for messages.
        allowed_globals: what is called in the place of each "module.name" that the pickle may ask for.
        persistent_load: answers references to objects outside the pickle.

    Raises UserError if the pickle asks for anything else or is damaged.
    """
    unpickler = _Unpickler(file, encoding="latin1")
    unpickler.path, unpickler.allowed_globals, unpickler.answer = path, allowed_globals, persistent_load
    with damage_named(path):
        return unpickler.load()


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn whatever a damaged or forged file of weights makes fail into a UserError that names it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} is damaged or no file of weights: {str(error) or type(error).__name__}") from error


class _Unpickler(pickle.Unpickler):
    path: Path
    allowed_globals: Mapping[str, Any]
    answer: Callable[[tuple], Any] | None

    def find_class(self, module: str, name: str) -> Any:
        wanted = f"{module}.{name}"
        if wanted not in self.allowed_globals:
            raise UserError(
                f"{self.path} is refused: it asks to load {wanted}, which no file of weights needs, and which could "
                "run a program on this machine. Take the weights from a source that you trust, best as safetensors."
            )
        return self.allowed_globals[wanted]

    def persistent_load(self, pid: Any) -> Any:
        if self.answer is None:
            raise ValueError("it refers to data outside itself")
        return self.answer(pid)


class OrderedDict(dict):
    """Replaces `collections.OrderedDict`; attributes pickled with it, as PyTorch's `_metadata`, are dropped."""

    def __setstate__(self, state: dict) -> None:
        pass


class WithoutState:
    """Base class of replacements whose attributes no pickle can set behind the back of their constructor."""

    def __setstate__(self, state: object) -> None:
        raise ValueError("it changes an object after making it")


class ArrayType:
    """Replaces `numpy.dtype`: a number type by name, e.g. "f4", and its byte order."""

    def __init__(self, name: str, _align: bool = False, _copy: bool = False):
        if np.dtype(name).kind not in "fiub":
            raise ValueError(f"an array of {name!r} holds no numbers")
        self.name = name
        self.order = "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype:
        """Return the type itself."""
        return np.dtype(self.name).newbyteorder(self.order)


class Array:
    """Replaces `numpy.ndarray`; `value` is the array, once the pickle has told it."""

    value: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, column_major, data = state
        if isinstance(data, str):  # protocol 2 has no type for bytes
            data = data.encode("latin1")
        order = "F" if column_major else "C"
        self.value = np.frombuffer(data, kind.numpy()).reshape(shape, order=order)


def _reconstruct(_kind: Any, _shape: tuple, _type: Any) -> Array:
    """Replace NumPy's function of this name, which makes the empty array that a state is then put into."""
    return Array()


def _encode(text: str, encoding: str) -> bytes:
    """Replace `_codecs.encode`, which protocol 2 uses for bytes."""
    if encoding != "latin1":
        raise ValueError(f"unexpected encoding {encoding!r}")
    return text.encode("latin1")


CONTAINER_GLOBALS = {"collections.OrderedDict": OrderedDict}  # pickles have the others built in
ARRAY_GLOBALS = {
    **CONTAINER_GLOBALS,
    "_codecs.encode": _encode,
    "numpy.ndarray": Array,
    "numpy.dtype": ArrayType,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
}
