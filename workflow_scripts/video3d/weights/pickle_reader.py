"""Read what pickles say about arrays without doing what they say.

A pickle is a program for a small machine with a stack, written in some 70 instructions. Python's own reader can name
any function of any installed package and call it, and makes what is announced before it is there. This one knows only
the instructions that `paddle.save` and `torch.save` write, looks names up in a table of harmless replacements, and ends
at anything else. It never hashes, compares or follows what it makes, so neither depth nor sharing matters.
"""

import os
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from video3d.common.errors import UserError
from video3d.weights.pickled import Made, Replacement, Run, Table
from video3d.weights.stored_numbers import checked_names, read_exactly

# What one pickle may take of memory, its long texts left aside. A checkpoint of ResNet-200 with the moments of its
# optimizer takes half of it. No instruction makes more than its share, and its text at most four bytes for one.
BUDGET = 48 << 20
PER_INSTRUCTION = 200
SHORT = 255  # longer texts and bytes are left in the file: they hold numbers
LONGEST_INTEGER = 16
LONGEST_LINE = 200


def read_pickle(
    file: BinaryIO,
    path: Path,
    allowed_globals: Mapping[str, Any],
    persistent_load: Callable[[Any], Any] | None = None,
) -> Any:
    """Return the next object in `file`.

    It is None, a number, text, bytes, tuple, list, `Table`, `Run` or what `allowed_globals` made.

    Args:
        file: a pickle, at its start; it must stay open until every `Run` is read.
        path: for messages.
        allowed_globals: what is called in the place of each "module.name" that the pickle may ask for.
        persistent_load: answers references to objects outside the pickle.

    Raises UserError if the pickle asks for anything else, and ValueError, EOFError or the like if it is damaged.
    """
    return _Machine(file, path, allowed_globals, persistent_load).run()


class _Machine:
    def __init__(self, file: BinaryIO, path: Path, allowed: Mapping[str, Any], answer: Callable | None):
        self.file, self.path, self.allowed, self.answer = file, path, allowed, answer
        start = file.tell()
        self.end = file.seek(0, os.SEEK_END)
        file.seek(start)
        self.budget = BUDGET
        self.stack: list = []
        self.marks: list[int] = []
        self.memo: list = []
        self.first_memo = 0

    def run(self) -> Any:
        """Carry out the instructions up to the end of the pickle; return what is left on the stack."""
        while (code := read_exactly(self.file, 1)) != pickle.STOP:
            if code not in INSTRUCTIONS:
                raise ValueError(f"it holds the pickle instruction {code!r}, which no file of weights needs")
            self.spend(PER_INSTRUCTION)
            INSTRUCTIONS[code](self)
        return self.stack.pop()

    def spend(self, size: int) -> None:
        self.budget -= size
        if self.budget < 0:
            raise ValueError("it holds far more than the names and shapes of a network's tensors")

    def number(self, form: str) -> Any:
        return struct.unpack(form, read_exactly(self.file, struct.calcsize(form)))[0]

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop_group(self) -> list:
        """Take what is on the stack above the last mark."""
        mark = self.marks.pop()
        group = self.stack[mark:]
        del self.stack[mark:]
        return group

    def push_integer(self, size: int) -> None:
        if size > LONGEST_INTEGER:
            raise ValueError(f"it holds an integer of {size} bytes")
        self.push(int.from_bytes(read_exactly(self.file, size), "little", signed=True))

    def push_run(self, size: int, encoding: str | None) -> None:
        """Push bytes, or text in an encoding, if they are short, else where they are."""
        if size <= SHORT:
            self.spend(4 * size)
            content = read_exactly(self.file, size)
            self.push(str(content, encoding) if encoding else content)
            return
        start = self.file.tell()
        if size > self.end - start:
            raise EOFError("it ends too early")
        self.push(Run(self.file, start, size, is_text=encoding == "utf-8"))
        self.file.seek(start + size)

    def push_tuple(self, size: int) -> None:
        self.push(tuple(self.stack.pop() for _item in range(size))[::-1])

    def append(self, values: list) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("it appends to something that is not a list")
        self.stack[-1].extend(values)

    def set_items(self, keys_and_values: list) -> None:
        if not isinstance(self.stack[-1], Table):
            raise ValueError("it sets items of something that is not a dict")
        self.stack[-1].pairs.extend(zip(keys_and_values[::2], keys_and_values[1::2], strict=True))

    def append_one(self) -> None:
        self.append([self.stack.pop()])

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key, value])

    def remember(self, place: int) -> None:
        """Note the top of the stack; places count from 0, those of Python 2 from 1, and writers leave none out."""
        if not self.memo and place in (0, 1):
            self.first_memo = place
        if place != self.first_memo + len(self.memo):
            raise ValueError("it numbers its objects as no writer does")
        self.memo.append(self.stack[-1])

    def recall(self, place: int) -> None:
        if place < self.first_memo:
            raise ValueError("it numbers its objects as no writer does")
        self.push(self.memo[place - self.first_memo])

    def push_named(self) -> None:
        """Push the replacement of a name that stands in two lines."""
        module, name = (self.file.readline(LONGEST_LINE) for _line in range(2))
        if not (module.endswith(b"\n") and name.endswith(b"\n")):
            raise ValueError("it holds a name that does not end")
        self.push_global(str(module[:-1], "utf-8"), str(name[:-1], "utf-8"))

    def push_stacked(self) -> None:
        """Push the replacement of a name whose two parts are on the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("it asks for a function by something that is not a name")
        self.push_global(module, name)

    def push_global(self, module: str, name: str) -> None:
        wanted = f"{module}.{name}"
        if wanted not in self.allowed:
            checked_names([wanted])
            raise UserError(
                f"{self.path} is refused: it asks to load {wanted}, which no file of weights needs, and which could "
                "run a program on this machine. Take the weights from a source that you trust, best as safetensors."
            )
        self.push(Replacement(self.allowed[wanted]))

    def call(self) -> None:
        """Push what the replacement of a function makes of its arguments."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Replacement) or not callable(function.value) or not isinstance(arguments, tuple):
            raise ValueError("it calls something that is not a function")
        self.push(function.value(*arguments))

    def build(self) -> None:
        state, thing = self.stack.pop(), self.stack[-1]
        if not isinstance(thing, Made):
            raise ValueError("it changes an object after making it")
        thing.build(state)

    def refer(self) -> None:
        """Push what is outside the pickle and referred to by the top of the stack."""
        if self.answer is None:
            raise ValueError("it refers to data outside itself")
        self.push(self.answer(self.stack.pop()))


INSTRUCTIONS: dict[bytes, Callable[[_Machine], None]] = {
    pickle.PROTO: lambda machine: machine.number("<B"),
    pickle.FRAME: lambda machine: machine.number("<Q"),  # how much to read ahead; reading is buffered as it is
    pickle.NONE: lambda machine: machine.push(None),
    pickle.NEWTRUE: lambda machine: machine.push(True),
    pickle.NEWFALSE: lambda machine: machine.push(False),
    pickle.BININT: lambda machine: machine.push(machine.number("<i")),
    pickle.BININT1: lambda machine: machine.push(machine.number("<B")),
    pickle.BININT2: lambda machine: machine.push(machine.number("<H")),
    pickle.LONG1: lambda machine: machine.push_integer(machine.number("<B")),
    pickle.BINFLOAT: lambda machine: machine.push(machine.number(">d")),
    pickle.SHORT_BINUNICODE: lambda machine: machine.push_run(machine.number("<B"), "utf-8"),
    pickle.BINUNICODE: lambda machine: machine.push_run(machine.number("<I"), "utf-8"),
    pickle.SHORT_BINSTRING: lambda machine: machine.push_run(machine.number("<B"), "latin1"),  # Python 2
    pickle.BINSTRING: lambda machine: machine.push_run(machine.number("<I"), "latin1"),
    pickle.SHORT_BINBYTES: lambda machine: machine.push_run(machine.number("<B"), None),
    pickle.BINBYTES: lambda machine: machine.push_run(machine.number("<I"), None),
    pickle.BINBYTES8: lambda machine: machine.push_run(machine.number("<Q"), None),
    pickle.MARK: lambda machine: machine.marks.append(len(machine.stack)),
    pickle.EMPTY_TUPLE: lambda machine: machine.push(()),
    pickle.TUPLE1: lambda machine: machine.push_tuple(1),
    pickle.TUPLE2: lambda machine: machine.push_tuple(2),
    pickle.TUPLE3: lambda machine: machine.push_tuple(3),
    pickle.TUPLE: lambda machine: machine.push(tuple(machine.pop_group())),
    pickle.EMPTY_LIST: lambda machine: machine.push([]),
    pickle.APPEND: _Machine.append_one,
    pickle.APPENDS: lambda machine: machine.append(machine.pop_group()),
    pickle.EMPTY_DICT: lambda machine: machine.push(Table()),
    pickle.SETITEM: _Machine.set_item,
    pickle.SETITEMS: lambda machine: machine.set_items(machine.pop_group()),
    pickle.BINPUT: lambda machine: machine.remember(machine.number("<B")),
    pickle.LONG_BINPUT: lambda machine: machine.remember(machine.number("<I")),
    pickle.MEMOIZE: lambda machine: machine.remember(machine.first_memo + len(machine.memo)),
    pickle.BINGET: lambda machine: machine.recall(machine.number("<B")),
    pickle.LONG_BINGET: lambda machine: machine.recall(machine.number("<I")),
    pickle.GLOBAL: _Machine.push_named,
    pickle.STACK_GLOBAL: _Machine.push_stacked,
    pickle.REDUCE: _Machine.call,
    pickle.BUILD: _Machine.build,
    pickle.BINPERSID: _Machine.refer,
}
