"""The types of settings: which values each takes, in all the ways that people and command lines write them."""

import contextlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

# As people write numbers; YAML 1.1 takes 1e-2 and 1E3 for text.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
ANCHOR = re.compile(r"[&*]\w")  # a name for a part of YAML: parts that share parts can be endless
LONGEST_TEXT = 10_000
NULL = {"null", "Null", "NULL", "~"}


def read_text(value: Any) -> Any:
    """Return the number, truth value, list or mapping that a text says, where no text is due.

    Snakemake's `--config train={epochs: 3}` arrives with text in place of numbers. Any other text stays as it is, to be
    refused. A number without a fraction is a whole number, however it is written.
    """
    if isinstance(value, str):
        value = _parsed(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _parsed(text: str) -> Any:
    if NUMBER.fullmatch(text.strip()):
        return int(text) if text.strip().lstrip("+-").isdecimal() else float(text)
    if len(text) > LONGEST_TEXT or ANCHOR.search(text):
        return text
    try:
        parsed = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, KeyError, RecursionError):
        return text
    return with_text_keys(parsed) if isinstance(parsed, bool | int | float | list | dict) else text


def with_text_keys(value: Any) -> Any:
    """Return `value` with text as keys, so that a YAML `{2: file}` and a JSON `{"2": file}` are the same."""
    if isinstance(value, Mapping):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_text_keys(item) for item in value]
    return value


def _number_or_text(value: Any) -> Any:
    """Return the whole number that a text is written as, so that '7' of a command line is 7; other text as it is."""
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise expected("text or a whole number")
    return int(value) if isinstance(value, str) and re.fullmatch("0|[1-9][0-9]{0,8}", value, re.ASCII) else value


def _grouping(groups: int | str) -> int | str:
    """Return `groups`. Raises an error unless it is a level from 1, or a regular expression with parentheses."""
    with contextlib.suppress(re.error):
        if groups == "" or (groups >= 1 if isinstance(groups, int) else re.compile(groups).groups):
            return groups
    raise expected("a regular expression with parentheses around the group's name, or a folder level from 1")


def _without_fraction(value: float) -> float:
    """Return 1 for 1.0: equal numbers are written down as equal text."""
    return int(value) if value % 1 == 0 else value


def _unique(items: list) -> list:
    """Return `items`. Raises an error that counts those that are repeated."""
    if repeated := {str(item): count for item, count in Counter(items).items() if count > 1}:
        raise PydanticCustomError("repeated", "repeated items", {"counts": repeated})
    return items


def expected(words: str) -> PydanticCustomError:
    """Return the error of a value in place of which something else is due: `words` say to people what."""
    return PydanticCustomError("expected", "expected {expected}", {"expected": words})


def _text_like(pattern: str, words: str) -> Any:
    """Return the type of text that `pattern` matches as a whole; `words` say to people what that is."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise expected(words)
        return text

    schema = {"type": "string", "pattern": f"^{pattern}$", "patternErrorMessage": f"expected {words}"}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


def _path(path: str) -> str:
    """Return a path in one form, without ./ in front. Raises an error if there can be no file of that name."""
    if "\0" in path or len(path.encode()) > 4095 or any(len(part.encode()) > 255 for part in Path(path).parts):
        raise expected("a path that a file can have, of at most 255 bytes from slash to slash and 4095 in all")
    return str(Path(path))


FROM_TEXT = BeforeValidator(read_text)
FROM_NULL = BeforeValidator(lambda value: None if isinstance(value, str) and value in NULL else value)
UNIQUE = AfterValidator(_unique)
AS_WRITTEN = PlainSerializer(_without_fraction)

# Beyond these a number is a slip of the pen, and float32, file names or memory would fail later and in other words.
LARGEST, LARGEST_SEED = 1_000_000, 2**31 - 1

# Limits stand in front of FROM_TEXT: pydantic leaves those behind it out of the JSON schema.
Switch = Annotated[bool, FROM_TEXT]
Count = Annotated[int, Field(ge=1, le=LARGEST), FROM_TEXT]
CountOrZero = Annotated[int, Field(ge=0, le=LARGEST), FROM_TEXT]
Split = Annotated[int, Field(ge=1, le=99), FROM_TEXT]
Size = Annotated[int, Field(ge=1, le=1024), FROM_TEXT]  # of what memory is needed for
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED), FROM_TEXT]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST), FROM_TEXT, AS_WRITTEN]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST), FROM_TEXT, AS_WRITTEN]
Positive = Annotated[float, Field(gt=0, le=LARGEST), FROM_TEXT, AS_WRITTEN]
Divisor = Annotated[float, Field(ge=1e-6, le=LARGEST), FROM_TEXT, AS_WRITTEN]
UpToOne = Annotated[float, Field(ge=0, le=1), FROM_TEXT, AS_WRITTEN]
BelowOne = Annotated[float, Field(ge=0, lt=1), FROM_TEXT, AS_WRITTEN]

Text = Annotated[str, Field(min_length=1)]
FilePath = Annotated[Text, AfterValidator(_path)]
Name = _text_like(
    "[A-Za-z0-9][A-Za-z0-9_.-]{0,99}",
    "a name of letters, digits, _, . and -, the first a letter or digit, at most 100 of them",
)
ClassName = _text_like(
    r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff/-][^\x00-\x1f\x7f-\x9f\ud800-\udfff/]{0,199}",
    "the name of a class, of at most 200 characters, without / and control characters, and without - in front",
)
Group = Annotated[int | str, BeforeValidator(_number_or_text)]
Grouping = Annotated[Group, AfterValidator(_grouping)]
Sha256 = _text_like("[0-9a-f]{64}", "64 digits 0-9 and a-f, as sha256sum prints them")
Prose = _text_like(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]*", "text without control characters")
SplitKey = _text_like("[1-9][0-9]?", "the number of a split with its file: {1: path}")

T = TypeVar("T")
Items = Annotated[list[T], FROM_TEXT]
UniqueItems = Annotated[list[T], FROM_TEXT, UNIQUE, Field(json_schema_extra={"uniqueItems": True})]
