"""Take the picture of the report that the README shows.

    PYTHONPATH=tests python tools/picture.py results/demo/report.html docs/report.png

opens the landing page of the report in a browser without a window and saves it as PNG.
"""

import argparse
import sys
import time
from pathlib import Path

from helpers import browser

WIDTH, HEIGHT = 1280, 900


def main() -> None:
    """Read the command line and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="what `snakemake --report` wrote")
    parser.add_argument("picture", type=Path, help="PNG to write")
    arguments = parser.parse_args()
    if reason := browser.missing():
        sys.exit(f"error: {reason}")
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    with browser.browser(WIDTH, HEIGHT) as screen:
        screen.open(arguments.report)
        screen.wait("document.querySelector('.report table')")
        time.sleep(2)  # the menu fades in
        screen.picture(arguments.picture)


if __name__ == "__main__":
    main()
