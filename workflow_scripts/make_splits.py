"""Write the table of one official split: every usable video with its class, label, group, subset and frames.

Faulty videos (missing, unreadable, damaged) stop it or are left out, as `dataset: faulty_videos` says. Groups named in
`validation_groups` are moved whole from the training list into a validation subset; the test list stays as it is.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from video3d.config import settings_argument
from video3d.console import UserError, run
from video3d.tables import read_table, write_table
from video3d.ucf101 import CLASSES, ListedVideo, read_class_index, read_split, select_classes

COLUMNS = ("video", "class", "label", "group", "subset", "frames")
LEFT_OUT_COLUMNS = ("video", "class", "group", "subset", "status", "message")
FAULTS = ("missing", "unreadable", "damaged")


class SplitVideo(NamedTuple):
    """A row of the split table; `label` is 0-based, `subset` is train, validation or test."""

    video: str
    class_name: str
    label: int
    group: int
    subset: str
    frames: int


def make_split(
    train: Sequence[ListedVideo],
    test: Sequence[ListedVideo],
    classes: Sequence[str],
    validation_groups: Collection[int],
) -> list[SplitVideo]:
    """The videos of `classes`, in the order of the lists; `frames` is still 0.

    Raises UserError if a list has no video of these classes, or if `validation_groups` are not groups of the training
    list or leave nothing to train on.
    """
    labels = {name: label for label, name in enumerate(classes)}
    rows = []
    for subset, listed in (("train", train), ("test", test)):
        for video in listed:
            if video.class_name in labels:
                held_out = subset == "train" and video.group in validation_groups
                name = "validation" if held_out else subset
                rows.append(SplitVideo(video.video, video.class_name, labels[video.class_name], video.group, name, 0))
    groups = {row.group for row in rows if row.subset != "test"}
    if unknown := sorted(set(validation_groups) - groups):
        raise UserError(
            f"validation_groups: {', '.join(map(str, unknown))} not in the training list, whose groups are "
            f"{_ranges(groups) or 'none'}; validation videos come from the training list only"
        )
    if groups and groups <= set(validation_groups):
        raise UserError("validation_groups: these are all groups of the training list; nothing is left to train on")
    return rows


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


def require_videos(rows: Iterable[SplitVideo], classes: Sequence[str]) -> None:
    """Raise UserError if there is nothing to test on, or nothing to train some class on.

    A class without test videos is only said: the accuracy is then that of the other classes.
    """
    present = {(row.subset, row.class_name) for row in rows}
    for subset in ("train", "test"):
        without = [name for name in classes if (subset, name) not in present]
        if len(without) == len(classes):
            raise UserError(f"this split is empty: no usable {subset} video of the configured classes is in its list")
        if without and subset == "train":
            raise UserError(f"there is nothing to train on: no usable video of class {', '.join(without)}")
        if without:
            logging.warning("no test video of class %s is left", ", ".join(without))


def describe_faults(faulty: Sequence[dict[str, str]], listed: Iterable[SplitVideo]) -> str:
    """A line for every faulty video; classes that are missing altogether take one line."""
    videos = Counter(row.class_name for row in listed)
    missing = Counter(row["class"] for row in faulty if row["status"] == "missing")
    absent = {name for name in missing if missing[name] == videos[name]}
    lines = [f"  - class {name}: all {videos[name]} videos are missing" for name in sorted(absent)]
    lines += [f"  - {row['video']}: {row['status']}: {row['message']}" for row in faulty if row["class"] not in absent]
    return "\n".join(lines)


def _ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers as text, neighbours joined: 8–25."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)


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
    settings = settings_argument(arguments.settings)
    classes = select_classes(read_class_index(arguments.lists), settings["dataset"]["classes"] or CLASSES)
    listed = make_split(*read_split(arguments.lists, arguments.split), classes, settings["validation_groups"])
    audit = read_table(arguments.audit, ("video", "class", "group", "status", "frames", "message"), "audit")
    rows, faulty = apply_audit(listed, {row["video"]: row for row in audit})
    if faulty and settings["dataset"]["faulty_videos"] == "stop":
        raise UserError(
            f"{len(faulty)} of {len(listed)} listed videos are faulty:\n{describe_faults(faulty, listed)}\n"
            f"mend them, or go on without them with `dataset: faulty_videos: leave_out`"
        )
    if faulty:
        logging.warning("left out: %d of %d videos:\n%s", len(faulty), len(listed), describe_faults(faulty, listed))
    require_videos(rows, classes)
    write_table(arguments.output, COLUMNS, rows)
    if arguments.left_out:
        write_table(arguments.left_out, LEFT_OUT_COLUMNS, [[row[name] for name in LEFT_OUT_COLUMNS] for row in faulty])
    counts = Counter(row.subset for row in rows)
    logging.info("split %d: %s", arguments.split, ", ".join(f"{number} {name}" for name, number in counts.items()))


if __name__ == "__main__":
    sys.exit(run(main))
