"""List the videos of a data set: official lists or own videos in, one table with class, group and subsets out.

What comes after it reads this table, and does not know what the data looked like. Splits of own videos are drawn; the
file of the draw keeps what was drawn before.
"""

import argparse
import logging
import sys
from pathlib import Path

from video3d.common.console import run
from video3d.common.settings import DatasetSettings, read_settings
from video3d.dataset import own_videos, ucf101
from video3d.dataset.drawn_splits import read_draw, write_draw
from video3d.dataset.video_table import DatasetVideo, classes_of, write_videos
from video3d.fetch.own_videos import find_videos


def list_own_videos(source: Path, settings: DatasetSettings, draw: Path) -> list[DatasetVideo]:
    """Return the own videos in `source` with their splits; the file `draw` keeps drawn ones, for videos to come."""
    listed = own_videos.list_videos(settings, source, find_videos(source))
    videos, fold_of = own_videos.with_splits(listed, settings, read_draw(draw))
    if fold_of:
        write_draw(draw, fold_of)
    return videos


def main() -> None:
    """Write the table of the data set."""
    arguments = parse_arguments()
    if arguments.lists:
        videos = ucf101.list_videos(arguments.lists)
    else:
        videos = list_own_videos(arguments.source, read_settings(arguments.settings).dataset, arguments.draw)
    write_videos(arguments.output, videos)
    logging.info("%s: %d videos of %d classes", arguments.output, len(videos), len(classes_of(videos)))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--lists", type=Path, help="folder with classInd.txt and the official lists")
    origin.add_argument("--source", type=Path, help="folder, archive or table of own videos")
    parser.add_argument("--settings", default="{}", help="YAML or JSON text or file with the section `dataset`")
    parser.add_argument("--draw", type=Path, help="table that keeps which group is in which drawn split")
    parser.add_argument("--output", type=Path, required=True, help="table to write, videos.csv")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
