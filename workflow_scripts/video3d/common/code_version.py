"""A version of the code that a script runs, blind to comments, docstrings, layout and file times."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.common.parsed_code import parse_once

# What these modules say to people, or refuse, cannot change a result, so an edit of a message reruns nothing. Nor does
# one of the settings' descriptions: their values reach each job as a parameter of its rule, which counts by itself.
SILENT = frozenset(
    {
        "video3d.common.code_version",
        "video3d.common.console",
        "video3d.common.disk",
        "video3d.common.documents",
        "video3d.common.errors",
        "video3d.common.settings",
        "video3d.common.settings_errors",
        "video3d.common.settings_types",
        "video3d.compute.gpu_messages",
        "video3d.weights.description_schema",
    }
)


@cache
def code_version(script: Path, without: frozenset[str] = frozenset()) -> str:
    """Return 12 hexadecimal digits that change when the script, or code of ours that it imports, computes differently.

    Hashes the normalised source of the script and of every file that it imports, directly or not, from the folder that
    it lies in: parsed, stripped of docstrings and of descriptions below an attribute, and written out again. `SILENT`
    modules do not count, nor do those in `without` (dotted names) and what only they import.

    Raises UserError if an import leads to no file, or if a module in `without` is not imported: what is not found would
    not count, and results of older code would pass for those of newer.
    """
    root = script.parent
    normalised: dict[Path, str] = {}
    left_out: set[str] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in normalised:
            source = _read(path, root, path.read_text(encoding="utf-8"))
            normalised[path] = source.normalised
            left_out |= without & source.imports.keys()
            waiting.extend(file for module, file in source.imports.items() if module not in SILENT | without)
    if unknown := without - left_out:
        raise UserError(f"{script} does not import {', '.join(sorted(unknown))}, which its code version leaves out")
    text = "".join(f"{path.relative_to(root).as_posix()}\n{normalised[path]}\n" for path in sorted(normalised))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Source(NamedTuple):
    normalised: str
    imports: dict[str, Path]  # the modules of ours that it imports, and the packages that they are in


@cache
def _read(path: Path, root: Path, text: str) -> _Source:
    """Take the `text` of a file apart; ours is what lies in the folder `root`."""
    parsed = parse_once(path, root, text)
    imports: dict[str, Path] = {}
    for line, level, package, names in parsed.imports:
        if level:
            raise UserError(f"{path}, line {line}: a relative import; write the whole name, video3d.…")
        if not package:
            modules = names
        elif _path(package, root).is_dir():
            modules = [f"{package}.{name}" for name in names]
        else:
            modules = [package]
        for module in modules:
            first = _path(module.partition(".")[0], root)
            if not (first.is_dir() or first.with_suffix(".py").is_file()):
                continue
            parts = module.split(".")
            for name in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
                if name not in imports:
                    imports[name] = _file(name, root, f"{path}, line {line}")
    return _Source(parsed.normalised, imports)


def _path(module: str, root: Path) -> Path:
    return root / module.replace(".", "/")


def _file(module: str, root: Path, importer: str) -> Path:
    path = _path(module, root)
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return file
    raise UserError(
        f"{importer}: {module} is imported, but is no file below {root}; correct the name, or add the file (a package "
        "has an __init__.py)"
    )
