"""A version of the code that a script runs, blind to comments, docstrings, layout and file times."""

import ast
import hashlib
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent
# What these modules say to people cannot change a result, so an edit of a message reruns nothing.
SILENT = {"console", "code"}


@cache
def code_version(script: Path) -> str:
    """12 hexadecimal digits that change when the script, or a `video3d` module that it imports, computes differently.

    Hashes the normalised source of the script and of every library module that it imports, directly or not: parsed,
    stripped of docstrings, and written out again.
    """
    sources = {script.name: script}
    waiting = [script]
    while waiting:
        for module in sorted(_library_imports(waiting.pop())):
            path = LIBRARY / f"{module}.py"
            if path.name not in sources and module not in SILENT and path.is_file():
                sources[path.name] = path
                waiting.append(path)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{_normalised(sources[name])}\n".encode())
    return digest.hexdigest()[:12]


@cache
def _normalised(path: Path) -> str:
    tree = _parse(path)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _library_imports(path: Path) -> set[str]:
    modules = {"__init__"}
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "video3d":
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("video3d."):
            modules.add(node.module.removeprefix("video3d."))
        elif isinstance(node, ast.Import):
            modules.update(a.name.removeprefix("video3d.") for a in node.names if a.name.startswith("video3d."))
    return modules


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
