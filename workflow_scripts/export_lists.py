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
from video3d.common.tables import read_table


def annotation_lists(split_table: Path) -> dict[str, list[str]]:
    """Lines by subset, in the order of the table."""
    lists: dict[str, list[str]] = {}
    for row in read_table(split_table, ("video", "class", "label", "subset", "frames"), "make_splits"):
        line = f"{row['class']}/{row['video']} {row['frames']} {row['label']}"
        lists.setdefault(row["subset"], []).append(line)
    return lists


def main() -> None:
    """Parse the arguments and write the lists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split-table", type=Path, nargs="+", required=True, help="split tables, split<k>.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    with atomic_path(arguments.output) as folder:
        folder.mkdir()
        for table in arguments.split_table:
            for subset, lines in annotation_lists(table).items():
                text = "".join(f"{line}\n" for line in lines)
                (folder / f"{table.stem}_{subset}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(main))
