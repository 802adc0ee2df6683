"""Write splits as annotation lists of PaddleVideo and mmaction2: `<Class>/<video> <frames> <label>`, label 0-based.

One file per subset, `<split>_<subset>.txt` (split1_train.txt …). The paths are those of `unzip <Class>.zip -d
<folder>/<Class>` for every pack, below <folder>; frames are called img_00001.jpg, which both projects write as
`img_{:05}.jpg`.
"""

import argparse
import sys
from pathlib import Path

from video3d.common.console import run
from video3d.common.files import atomic_path
from video3d.dataset.split_table import read_split


def annotation_lists(split_table: Path) -> dict[str, list[str]]:
    """Return the lines of each subset, in the order of the table."""
    lists: dict[str, list[str]] = {}
    for video in read_split(split_table):
        line = f"{video.pack}/{video.folder} {video.frames} {video.label}"
        lists.setdefault(video.subset, []).append(line)
    return lists


def main() -> None:
    """Write the lists of every split table."""
    arguments = parse_arguments()
    with atomic_path(arguments.output) as folder:
        folder.mkdir()
        for split_table in arguments.split_table:
            for subset, lines in annotation_lists(split_table).items():
                text = "".join(f"{line}\n" for line in lines)
                (folder / f"{split_table.stem}_{subset}.txt").write_text(text, encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split-table", type=Path, nargs="+", required=True, help="split tables, split<k>.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
