"""Fetch the official train and test lists: a ZIP (URL or file) or a folder in, a folder of lists out, byte for byte.

A file of their checksums, as `sha256sum` writes it, tells later stages whether the lists are others.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path, sha256
from video3d.fetch.download import fetch_archive
from video3d.fetch.lists import SETTING, lists_in_folder, lists_in_zip
from video3d.fetch.sources import choose_source

REQUIRED = {"classInd.txt", "trainlist01.txt", "testlist01.txt"}


def fetch_lists(sources: Sequence[str], checksum: str | None, output: Path) -> None:
    """Put the lists from the first source that works into a new folder `output`.

    Raises UserError if none works, or if classInd.txt or the lists of split 1 are missing.
    """
    source = choose_source(sources, setting=SETTING)
    output.parent.mkdir(parents=True, exist_ok=True)
    if source.kind == "folder":
        lists = lists_in_folder(Path(source.path))
    else:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".lists.") as folder:
            archive = Path(folder) / source.name
            fetch_archive(source, checksum, archive, SETTING)
            lists = lists_in_zip(archive)
    if missing := sorted(REQUIRED - set(lists)):
        raise UserError(f"{SETTING}: {source.path or source.urls[0]} does not hold {', '.join(missing)}")
    with atomic_path(output) as temporary:
        temporary.mkdir()
        for name, content in lists.items():
            (temporary / name).write_bytes(content)
    logging.info("%s: %s", output, ", ".join(sorted(lists)))


def write_checksums(lists: Path, checksums: Path) -> None:
    """Write the SHA-256 of each file in the folder `lists` to the file `checksums`."""
    with atomic_path(checksums) as temporary:
        temporary.write_text("".join(f"{sha256(path)}  {path.name}\n" for path in sorted(lists.iterdir())))


def main() -> None:
    """Fetch the lists and write their checksums."""
    arguments = parse_arguments()
    fetch_lists(arguments.source, arguments.sha256, arguments.output)
    write_checksums(arguments.output, arguments.checksums)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", nargs="+", required=True, help="URLs of the ZIP of lists, a ZIP file or a folder")
    parser.add_argument("--sha256", default="", help="checksum of the ZIP; needed for a URL")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument("--checksums", type=Path, required=True, help="file to write, in the format of sha256sum")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
