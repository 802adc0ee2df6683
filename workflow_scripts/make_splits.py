"""Write the table of one official split: every usable video with its class, label, group, subset and frames.

Faulty videos (missing, unreadable, damaged) stop it or are left out, as `dataset: faulty_videos` says. Groups named in
`validation_groups` are moved whole from the training list into a validation subset; the test list stays as it is.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.settings import read_settings
from video3d.common.tables import read_table, write_table
from video3d.dataset.splits import SplitVideo, make_split, require_videos
from video3d.dataset.ucf101 import CLASSES, read_class_index, read_split, select_classes

COLUMNS = ("video", "class", "label", "group", "subset", "frames")
LEFT_OUT_COLUMNS = ("video", "class", "group", "subset", "status", "message")
FAULTS = ("missing", "unreadable", "damaged")


def apply_audit(
    rows: Sequence[SplitVideo], audit: dict[str, dict[str, str]]
) -> tuple[list[SplitVideo], list[dict[str, str]]]:
    """The usable rows with their numbers of frames, and the audit's rows of the faulty ones.

    Raises UserError if the audit does not know a video.
    """
    usable, faulty = [], []
    for row in rows:
        if row.video not in audit:
            raise UserError(
                f"the audit does not know {row.video}; it was made for other lists or classes: run it again"
            )
        if audit[row.video]["status"] in FAULTS:
            faulty.append(audit[row.video] | {"subset": row.subset})
        else:
            usable.append(row._replace(frames=int(audit[row.video]["frames"])))
    return usable, faulty


def describe_faults(faulty: Sequence[dict[str, str]], listed: Iterable[SplitVideo]) -> str:
    """A line for every faulty video; classes that are missing altogether take one line."""
    videos = Counter(row.class_name for row in listed)
    missing = Counter(row["class"] for row in faulty if row["status"] == "missing")
    absent = {name for name in missing if missing[name] == videos[name]}
    lines = [f"  - class {name}: all {videos[name]} videos are missing" for name in sorted(absent)]
    lines += [f"  - {row['video']}: {row['status']}: {row['message']}" for row in faulty if row["class"] not in absent]
    return "\n".join(lines)


def main() -> None:
    """Parse the arguments and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lists", type=Path, required=True, help="folder with classInd.txt and the official lists")
    parser.add_argument("--audit", type=Path, required=True, help="table of the audit")
    parser.add_argument("--split", type=int, required=True, help="number of the official split, from 1")
    parser.add_argument(
        "--settings", required=True, help="YAML or JSON text or file with `dataset`, `validation_groups`"
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write, split<k>.csv")
    parser.add_argument("--left-out", type=Path, help="table to write of the faulty videos that are left out")
    arguments = parser.parse_args()
    settings = read_settings(arguments.settings)
    classes = select_classes(read_class_index(arguments.lists), settings.dataset.classes or CLASSES)
    listed = make_split(*read_split(arguments.lists, arguments.split), classes, settings.validation_groups)
    audit = read_table(arguments.audit, ("video", "class", "group", "status", "frames", "message"), "audit")
    rows, faulty = apply_audit(listed, {row["video"]: row for row in audit})
    if faulty and settings.dataset.faulty_videos == "stop":
        raise UserError(
            f"{len(faulty)} of {len(listed)} listed videos are faulty:\n{describe_faults(faulty, listed)}\n"
            f"mend them, or go on without them with `dataset: faulty_videos: leave_out`"
        )
    if faulty:
        logging.warning("left out: %d of %d videos:\n%s", len(faulty), len(listed), describe_faults(faulty, listed))
    if untested := require_videos(rows, classes):
        logging.warning("no test video of class %s is left", ", ".join(untested))
    write_table(arguments.output, COLUMNS, rows)
    if arguments.left_out:
        write_table(arguments.left_out, LEFT_OUT_COLUMNS, [[row[name] for name in LEFT_OUT_COLUMNS] for row in faulty])
    counts = Counter(row.subset for row in rows)
    logging.info("split %d: %s", arguments.split, ", ".join(f"{number} {name}" for name, number in counts.items()))


if __name__ == "__main__":
    sys.exit(run(main))
