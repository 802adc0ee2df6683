"""Fetch the archive of videos: sources in order of preference in, one verified archive out.

A URL is downloaded, resumed where it stopped, and checked against its SHA-256; a local archive is checked and linked.
"""

import argparse
import sys
from pathlib import Path

from video3d.common.console import run
from video3d.fetch.download import fetch_archive
from video3d.fetch.remote_zip import fetch_subset
from video3d.fetch.sources import choose_source


def main() -> None:
    """Fetch the archive, or the part of it that the classes need."""
    arguments = parse_arguments()
    source = choose_source(arguments.source, arguments.classes)
    fetch = fetch_subset if source.classes else fetch_archive
    fetch(source, arguments.sha256, arguments.output)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", nargs="+", required=True, help="URLs (mirrors of one file) or a local archive")
    parser.add_argument("--sha256", default="", help="checksum of the archive; needed for a URL")
    parser.add_argument("--classes", nargs="*", default=[], help="fetch only these classes of a remote ZIP; none: all")
    parser.add_argument("--output", type=Path, required=True, help="the archive to make")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
