"""JSON files that describe what lies beside them: read within bounds, checked by a model, tied to their own content.

The last key of such a file is the SHA-256 of the others. It meets accidents: half copies, edits by hand, a value that
was swapped. It is no signature: who means to deceive can write a new one.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from video3d.common.errors import UserError
from video3d.common.printable import printable, shortened
from video3d.common.settings import Section
from video3d.common.settings_types import UNIQUE, Sha256, Text, expected

SEAL = "content_sha256"
LARGEST_BYTES = 8 << 20  # seven times what full UCF101 takes
MOST_ITEMS = 200_000  # of all lists and mappings together: each takes far more memory than its text
DEEPEST = 6  # mappings and lists within each other; ours have five
MISTAKES_TOLD = 20
LATER: Any = None  # marks keys that early versions left out; nobody sees it, as what is left out stays out

S = TypeVar("S", bound=Section)


class Part(BaseModel):
    """A mapping in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Document(Part):
    """What a file may say; `content_sha256` is missing where an early version wrote it."""

    content_sha256: Sha256 = LATER


class Start(Part):
    """The weights that a training started from."""

    source: Text
    sha256: Sha256


Labels = Annotated[list[Annotated[Text, Field(max_length=200)]], Field(min_length=1, max_length=10_000), UNIQUE]
Versions = Annotated[dict[str, str], Field(max_length=1000)]


D = TypeVar("D", bound=Document)


def requires(*names: str) -> AfterValidator:
    """Return the demand that a mapping or a section says these keys, all if none is named: defaults say nothing."""

    def check(part: Section | dict[str, Any]) -> Section | dict[str, Any]:
        said = part.keys() if isinstance(part, dict) else part.model_fields_set
        if missing := set(names or type(part).model_fields) - said:
            raise expected(f"also {', '.join(sorted(missing))}")
        return part

    return AfterValidator(check)


Complete = Annotated[S, requires()]


def sealed(content: Mapping[str, Any]) -> str:
    """Return `content` as the text of a file, with the SHA-256 of itself as last key."""
    return json.dumps({**content, SEAL: _checksum(content)}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Return the mapping in a JSON file; `remedy` says in messages what to do about a damaged one.

    Raises UserError if the file is missing, larger than any of ours, no JSON, no mapping, or not as it was written.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {remedy}") from None
    try:
        if len(data) > LARGEST_BYTES:
            raise ValueError(f"it has more than {LARGEST_BYTES >> 20} MiB")
        if sum(map(data.count, (b",", b"[", b"{"))) > MOST_ITEMS:
            raise ValueError(f"it has more than {MOST_ITEMS} items")
        content = json.loads(data.decode(), object_pairs_hook=unique_keys, parse_constant=_no_number)
        if not isinstance(content, dict):
            raise ValueError(f"it holds a {type(content).__name__} instead of a mapping")
        if _is_deeper(content, DEEPEST):
            raise ValueError("it has too many levels")
        if SEAL in content and content[SEAL] != _checksum(content):
            raise ValueError(f"it was changed after it was written, by its {SEAL}")
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {printable(str(error))}; {remedy}") from error
    return content


def read_document(path: Path, model: type[D], remedy: str) -> dict[str, Any]:
    """Return what a JSON file says, as far as it says it: keys that it leaves out are left out.

    Raises UserError, as `read_json` does, and if the file says what the model does not allow.
    """
    content = read_json(path, remedy)
    try:
        return validated(content, model)
    except UserError as error:
        raise UserError(f"{path} is damaged: {error}; {remedy}") from error


def validated(content: Mapping[str, Any], model: type[D]) -> dict[str, Any]:
    """Return what `content` says.

    Raises UserError with the first thing that the model does not allow, or if there is text that no file can hold.
    """
    try:
        json.dumps(content, ensure_ascii=False).encode()
        return model.model_validate(content).model_dump(exclude_unset=True)
    except UnicodeEncodeError as error:
        raise UserError(
            f"it has text that is no Unicode: {error.object[error.start - 10 : error.end]!r:.80}"
        ) from error
    except ValidationError as error:
        raise UserError(_describe(error)) from error


def _describe(error: ValidationError) -> str:
    """Return the first mistake in words; a file that is nothing but mistakes has too many to look at."""
    if error.error_count() > MISTAKES_TOLD:
        return f"it has {error.error_count()} mistakes"
    first = error.errors(include_url=False, include_input=False)[0]
    return printable(f"{': '.join(shortened(str(part)) for part in first['loc'])}: {shortened(first['msg'])}")


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether `value` has mappings or lists in more than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _checksum(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that is not it, whatever the order of the keys and the spaces between them."""
    kept = {key: value for key, value in content.items() if key != SEAL}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping of JSON. Raises ValueError if a key comes twice."""
    if len(content := dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return content


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
