"""A version of the code that a script runs, blind to comments, docstrings, layout and file times."""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

LIBRARY = Path(__file__).parents[1]
# What these modules say to people, or refuse, cannot change a result, so an edit of a message reruns nothing.
SILENT = {"console", "code", "plan"}


@cache
def code_version(script: Path) -> str:
    """12 hexadecimal digits that change when the script, or a `video3d` module that it imports, computes differently.

    Hashes the normalised source of the script and of every library module that it imports, directly or not: parsed,
    stripped of docstrings, and written out again.
    """
    sources = {script.name: script}
    waiting = [script]
    while waiting:
        for module in sorted(_read(waiting.pop()).modules):
            path = LIBRARY / f"{module}.py"
            if path.name not in sources and module not in SILENT and path.is_file():
                sources[path.name] = path
                waiting.append(path)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{_read(sources[name]).normalised}\n".encode())
    return digest.hexdigest()[:12]


def training_version(weights: str | None) -> str:
    """The version of train.py; if it starts from `weights`, of their conversion too, which it imports only then."""
    scripts = [LIBRARY.parent / "train.py", *([LIBRARY / "convert.py"] if weights else [])]
    return "".join(map(code_version, scripts))


class _Source(NamedTuple):
    normalised: str
    modules: set[str]  # of the library, that it imports


@cache
def _read(path: Path) -> _Source:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    modules = {"__init__"}
    for node in ast.walk(tree):
        match node:
            case ast.AST(body=[ast.Expr(value=ast.Constant(value=str())), *rest]):
                node.body = rest or [ast.Pass()]
            case ast.ImportFrom(module="video3d"):
                modules.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)) if module.startswith("video3d."):
                modules.add(module.removeprefix("video3d."))
            case ast.Import():
                modules.update(a.name.removeprefix("video3d.") for a in node.names if a.name.startswith("video3d."))
    return _Source(ast.unparse(tree), modules)
