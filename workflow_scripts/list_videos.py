"""List the videos of a data set: its official lists in, one table with class, group and subsets out.

What comes after it reads this table, and does not know what the lists looked like.
"""

import argparse
import logging
import sys
from pathlib import Path

from video3d.common.console import run
from video3d.dataset.ucf101 import list_videos
from video3d.dataset.video_table import classes_of, write_videos


def main() -> None:
    """Write the table of the data set."""
    arguments = parse_arguments()
    videos = list_videos(arguments.lists)
    write_videos(arguments.output, videos)
    logging.info("%s: %d videos of %d classes", arguments.output, len(videos), len(classes_of(videos)))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, help="folder with classInd.txt and the official lists")
    parser.add_argument("--output", type=Path, required=True, help="table to write, videos.csv")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
