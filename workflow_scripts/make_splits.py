"""Write the table of one split: every usable video with its class, label, group, subset and frames.

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
from video3d.common.tables import write_table
from video3d.dataset.audit_table import FAULTS, AuditedVideo, read_audit
from video3d.dataset.split_table import Video, write_split
from video3d.dataset.splits import make_split, require_videos
from video3d.dataset.video_table import classes_of, read_videos, select_classes

LEFT_OUT_COLUMNS = ("video", "class", "group", "subset", "status", "message")


def apply_audit(
    listed: Sequence[Video], audit: dict[str, AuditedVideo]
) -> tuple[list[Video], list[tuple[Video, AuditedVideo]]]:
    """Return the usable ones of the `listed` videos, with their numbers of frames, and the faulty ones.

    `audit` holds the rows of the audit by the name of the video. Raises UserError if it does not know a video.
    """
    usable, faulty = [], []
    for video in listed:
        if video.name not in audit:
            raise UserError(
                f"the audit does not know {video.name}; it was made for other lists or classes: run it again"
            )
        found = audit[video.name]
        if found.status in FAULTS:
            faulty.append((video, found))
        else:
            usable.append(video._replace(frames=found.frames))
    return usable, faulty


def describe_faults(faulty: Sequence[AuditedVideo], listed: Iterable[Video]) -> str:
    """Return a line for every faulty video; a class that is missing altogether takes one line."""
    videos = Counter(video.class_name for video in listed)
    missing = Counter(video.class_name for video in faulty if video.status == "missing")
    absent = {name for name in missing if missing[name] == videos[name]}
    lines = [f"  - class {name}: all {videos[name]} videos are missing" for name in sorted(absent)]
    lines += [f"  - {each.video}: {each.status}: {each.message}" for each in faulty if each.class_name not in absent]
    return "\n".join(lines)


def main() -> None:
    """Write the table of the split, and that of the videos left out."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings)
    videos = read_videos(arguments.videos)
    class_names = select_classes(classes_of(videos), arguments.classes)
    listed = make_split(videos, arguments.split, class_names, settings.validation_groups)
    usable, faulty = apply_audit(listed, {row.video: row for row in read_audit(arguments.audit)})
    if faulty:
        faults = describe_faults([found for _, found in faulty], listed)
        if settings.dataset.faulty_videos == "stop":
            raise UserError(
                f"{len(faulty)} of {len(listed)} listed videos are faulty:\n{faults}\n"
                f"mend them, or go on without them with `dataset: faulty_videos: leave_out`"
            )
        logging.warning("left out: %d of %d videos:\n%s", len(faulty), len(listed), faults)
    if untested := require_videos(usable, class_names):
        logging.warning("no test video of class %s is left", ", ".join(untested))
    write_split(arguments.output, usable)
    if arguments.left_out:
        rows = [(row.video, row.class_name, row.group, video.subset, row.status, row.message) for video, row in faulty]
        write_table(arguments.left_out, LEFT_OUT_COLUMNS, rows)
    counts = Counter(video.subset for video in usable)
    logging.info("split %d: %s", arguments.split, ", ".join(f"{number} {name}" for name, number in counts.items()))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True, help="table of the data set, videos.csv")
    parser.add_argument("--classes", nargs="*", default=[], help="names of the classes that count; none: all")
    parser.add_argument("--audit", type=Path, required=True, help="table of the audit")
    parser.add_argument("--split", type=int, required=True, help="number of the split, from 1")
    parser.add_argument(
        "--settings", required=True, help="YAML or JSON text or file with `dataset`, `validation_groups`"
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write, split<k>.csv")
    parser.add_argument("--left-out", type=Path, help="table to write of the faulty videos that are left out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
