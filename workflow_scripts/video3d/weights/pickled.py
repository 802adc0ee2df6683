"""What a pickle is read as: replacements for what it names, and the error for a damaged one."""

import errno
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from video3d.common.errors import UserError
from video3d.common.printable import shortened
from video3d.weights.stored_numbers import checked_names, read_latin1, read_numbers

# What readers raise that believe a damaged file: RuntimeError is also zipfile's, of an archive with a password.
DAMAGE = (
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, EOFError, MemoryError, RuntimeError),
    *(struct.error, zipfile.BadZipFile),
)
STATE_DICTS = ("state_dict", "model", "model_state_dict")  # names that checkpoints have for the network's tensors


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what a damaged file of weights makes fail, and a disk that fails, into a UserError that names the file."""
    try:
        yield
    except DAMAGE as error:
        reason = shortened(str(error)) or type(error).__name__
        raise UserError(f"{path} is damaged or no file of weights: {reason}") from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # the file names a place before its own start
            raise UserError(f"{path} is damaged or no file of weights: it points outside itself") from error
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


class Run:
    """A long run of bytes, or of text that stands for bytes, left in the file until it is wanted."""

    def __init__(self, file: BinaryIO, start: int, size: int, is_text: bool):
        self._file, self._start, self._size, self._is_text = file, start, size, is_text

    @cached_property
    def content(self) -> np.ndarray:
        """The bytes, read once however many arrays share them."""
        self._file.seek(self._start)
        if self._is_text:
            return read_latin1(self._file, self._size)
        return read_numbers(self._file, self._size, np.dtype("u1"))


class Made:
    """Base class of what a pickle may change after making it."""

    def build(self, state: Any) -> None:
        """Take the state that was pickled with it."""


class Table(Made):
    """Replaces `dict` and `OrderedDict`, as pairs of key and value.

    Attributes that are pickled with it, as PyTorch's `_metadata`, are dropped.
    """

    def __init__(self, pairs: list | None = None):
        self.pairs = [] if pairs is None else pairs

    def named(self) -> dict[str, Any]:
        """Return the entries by name. Raises ValueError unless every key is printable text, and is there once."""
        checked_names(name for name, _value in self.pairs)
        entries = dict(self.pairs)
        if len(entries) < len(self.pairs):
            raise ValueError("a name comes twice")
        return entries

    def tensors(self) -> dict[str, Any]:
        """Return the entries of the state dict that this is, or that it holds beside the rest of a checkpoint."""
        entries = self.named()
        inner = next((entries[name] for name in STATE_DICTS if isinstance(entries.get(name), Table)), self)
        return inner.named()


class Replacement(NamedTuple):
    """What takes the place of a name that the pickle may use."""

    value: Any
