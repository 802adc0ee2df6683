"""JSON files that were changed: every key of them, in every way that accidents and hands change one."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from video3d.common.documents import SEAL, sealed

DEEP = '{"a":' * 2000 + "1" + "}" * 2000
VALUES = (
    None, True, "", "x", "x\x1b[31m", "x\ud800", {"\ud800": "x"},
    0, -1, 1500, 100_000, 10**400, 1e300, 0.5, [], {}, [[]], {"a": 1}, [0, 0, 0],
    ["x", "x"],
)  # fmt: skip
LARGE = (["x"] * 100_000, "x" * 1_000_000)  # for a few keys, as they take time


def tampered(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield `content` with one thing changed, and what that is: each key gone, in each of `VALUES`, a key too many."""
    for path in list(_paths(content)):
        for value in VALUES + (LARGE if len(path) == 1 else ()):
            changed = copy.deepcopy(content)
            above = _at(changed, path[:-1])
            if above[path[-1]] != value:
                above[path[-1]] = value
                yield f"{path} = {str(value)[:20]!r}", changed
        changed = copy.deepcopy(content)
        del _at(changed, path[:-1])[path[-1]]
        yield f"{path} removed", changed
        if isinstance(_at(content, path), dict):
            changed = copy.deepcopy(content)
            _at(changed, path)["a key too many"] = 1
            yield f"{path} has a key too many", changed
    if labels := content.get("labels"):
        for others in (labels[::-1], labels[:-1], [*labels, "another"], [*labels[:-1], labels[0]]):
            yield "labels swapped", content | {"labels": others}


def damaged_texts(text: str) -> dict[str, bytes]:
    """Return what may stand in a file in place of `text`, none of which is what was written."""
    first = next(iter(json.loads(text)))
    return {
        "empty": b"", "half": text[: len(text) // 2].encode(), "no JSON": b"nonsense", "a list": b"[]",
        "a number": b"3", "nothing in it": b"{}", "not UTF-8": text.encode().replace(b'"', b'"\xff', 1),
        "UTF-16": text.encode("utf-16"), "NaN": text.replace(": ", ': NaN, "x": ', 1).encode(),
        "infinity": b'{"a": -Infinity}', "deep": DEEP.encode(), "deep lists": b"[" * 100_000,
        "a long number": b'{"a": ' + b"9" * 5000 + b"}",
        "a key twice": text.replace("{", f'{{"{first}": 1, ', 1).encode(),
        "nothing but mistakes": json.dumps(dict.fromkeys(map(str, range(50_000)), 1)).encode(),
        "100 MB": b" " * 100_000_000 + text.encode(),
    }  # fmt: skip


def write(path: Path, content: dict[str, Any], seal: str) -> None:
    """Write a changed document: with the seal `kept` of before, with a `new` one, or with `none`, as early versions."""
    kept = {key: value for key, value in content.items() if key != SEAL}
    path.write_text(sealed(kept) if seal == "new" else json.dumps(content if seal == "kept" else kept))


def _paths(value: Any, above: tuple = ()) -> Iterator[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*above, key)
        yield from _paths(item, (*above, key))


def _at(value: Any, path: tuple) -> Any:
    for key in path:
        value = value[key]
    return value
