"""Python files without what does not count, and what they import. Each text is parsed once, whichever call needs it.

Parsing the project takes longer than the rest of a dry run that is ours, and a job on a cluster reads the rules twice.
What was parsed is kept as Python keeps its bytecode, in a `__pycache__`.
"""

import ast
import atexit
import contextlib
import hashlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.common.files import atomic_path


class ParsedCode(NamedTuple):
    """What a text says by itself, whatever other files there are.

    normalised: the text without docstrings and descriptions below an attribute, written out again.
    imports: of each import statement its line, its level (above 0 where it is relative), the module after `from`, empty
    if there is none, and the names after `import`.
    """

    normalised: str
    imports: list[tuple[int, int, str, list[str]]]


def parse_once(path: Path, root: Path, text: str) -> ParsedCode:
    """Return the parsed `text` of the file at `path` in the folder `root`, or what was kept of the same text."""
    kept = _kept(root)
    name = path.relative_to(root).as_posix()
    digest = hashlib.sha256(_this_code() + text.encode()).hexdigest()
    if name not in kept or kept[name][0] != digest:
        kept[name] = digest, *parse(path, text)
        atexit.unregister(_keep)
        atexit.register(_keep, root)
    return ParsedCode(*kept[name][1:])


def parse(path: Path, text: str) -> ParsedCode:
    """Return the parsed `text` of the file at `path`."""
    tree = ast.parse(text, filename=str(path))
    imports = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(statements := getattr(node, name, None), list):
                statements[:] = [statement for statement in statements if not _is_text(statement)]
        if isinstance(node, ast.Import | ast.ImportFrom):
            level, package = getattr(node, "level", 0), getattr(node, "module", None)
            imports.append((node.lineno, level, package or "", [alias.name for alias in node.names]))
    return ParsedCode(ast.unparse(tree), imports)


def _is_text(statement: ast.AST) -> bool:
    """Return whether a statement is only a text: a docstring, or the description of what stands above it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _this_code() -> bytes:
    """Return the code of this file: what another version of it parsed is not used."""
    return Path(__file__).read_bytes()


@cache
def _kept(root: Path) -> dict[str, tuple]:
    """Return what was kept for the files in `root`: by their path the digest of their text and what was parsed."""
    try:
        return json.loads(_file(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _keep(root: Path) -> None:
    if root.is_dir() and not sys.dont_write_bytecode:
        with contextlib.suppress(UserError), atomic_path(_file(root)) as temporary:
            temporary.write_text(json.dumps(_kept(root)), encoding="utf-8")


def _file(root: Path) -> Path:
    return root / "__pycache__" / f"parsed_code.{sys.implementation.cache_tag}.json"
