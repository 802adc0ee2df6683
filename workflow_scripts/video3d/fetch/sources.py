"""Where a data set comes from: a list of URLs, archives and folders, told apart without any network."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from video3d.common.errors import UserError
from video3d.common.folders import expand_home
from video3d.common.printable import printable

LONGEST_NAME = 100  # characters of an archive's name that are kept: the rest of 255 bytes is for what is added
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)


@dataclass(frozen=True)
class DataSource:
    """Where the files come from.

    kind: url: download the first of `urls` that works; archive: the local file `path`; folder: the local folder `path`.
    name: the name of the archive in resources/<dataset>/; empty for a folder, which is read where it lies.
    classes: only the videos of these are fetched from the ZIP at `urls`; empty: the whole archive.
    """

    kind: Literal["url", "archive", "folder"]
    name: str
    path: str = ""
    urls: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def local_files(self) -> list[str]:
        """Return the files of this machine that are fetched: an archive, or the lists in a folder; none for a URL."""
        if self.kind == "folder":
            return sorted(map(str, Path(self.path).glob("*.txt")))
        return [self.path] if self.kind == "archive" else []


def choose_source(sources: Sequence[str], classes: Iterable[str] = (), setting: str = "dataset.videos") -> DataSource:
    """Choose from `sources`: http(s) URLs, `file:` URLs, paths of archives and of folders, in order of preference.

    `~` and environment variables are expanded, unless a file is called so; a source with an undefined variable is
    passed over. What exists on this machine wins over URLs, as it costs nothing; the URLs are mirrors of one file. An
    archive that does not exist (yet) is the last choice: another rule may make it. With `classes` a remote ZIP is named
    after them as well, since only their videos are fetched. Raises UserError that says what is wrong with every source
    if none can be used.
    """
    reasons, urls, absent = [], [], []
    for source in sources:
        try:
            as_it_is = not is_url(source) and Path(source).exists()
            variables = [] if as_it_is else [match[1] or match[2] for match in VARIABLE.finditer(source)]
            undefined = [name for name in variables if not os.environ.get(name)]
            if undefined:
                reasons.append(f"{source}: the environment variable {undefined[0]} is not set")
                continue
            place = source if as_it_is else os.path.expandvars(source)
            if is_url(place):
                urls.append(place)
                continue
            path = _local_path(place)
            if path.is_dir():
                return DataSource("folder", "", str(path))
            if path.is_file():
                return DataSource("archive", _local_name(path), str(path))
        except (OSError, ValueError) as error:  # a name that no file and no server can have
            reasons.append(f"{source}: {error}")
            continue
        reasons.append(f"{source}: {path} does not exist")
        if path.suffix:
            absent.append(path)
    if urls:
        return _remote(urls, sorted(set(classes)))
    if absent:
        return DataSource("archive", _local_name(absent[0]), str(absent[0]))
    raise UserError(
        f"{setting}: none of the sources can be used:\n"
        + "\n".join(f"  - {reason}" for reason in reasons)
        + "\nGive a URL, the path of a ZIP or RAR archive, or the path of a folder."
    )


def is_url(source: str) -> bool:
    """Return whether `source` needs the network: it is a URL, and not a `file:` one."""
    return urlsplit(source).scheme.lower() in {"http", "https"}


def _local_path(place: str) -> Path:
    scheme, host, path, *_ = urlsplit(place)
    if scheme.lower() == "file":
        if host not in {"", "localhost"}:
            raise UserError(f"{place}: a file: URL names a file of this machine: file:///path/of/the/file")
        return Path(url2pathname(path))
    if "://" in place:
        raise UserError(f"{place}: only http:, https: and file: URLs can be read")
    return expand_home(Path(place))


def _local_name(path: Path) -> str:
    """Return the name of an archive in resources/, without what Snakemake would take for a wildcard in an output."""
    return _shortened(re.sub("[{}<>]", "_", printable(path.name)))


def _remote(urls: list[str], classes: list[str]) -> DataSource:
    name = archive_name(urls[0])
    if not classes or not name.lower().endswith(".zip"):
        return DataSource("url", name, urls=tuple(urls))
    mark = hashlib.sha256("\n".join(classes).encode()).hexdigest()[:8]
    return DataSource("url", f"{name[:-4]}.{mark}.zip", urls=tuple(urls), classes=tuple(classes))


def archive_name(url: str) -> str:
    """Return the last part of the path of `url`, reduced to plain characters."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return _shortened(re.sub(r"[^A-Za-z0-9._-]", "_", name)).lstrip(".") or "archive"


def _shortened(name: str) -> str:
    return name[-LONGEST_NAME:]
