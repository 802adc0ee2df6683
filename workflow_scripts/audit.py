"""Compare what was decoded with the videos of the data set: every listed one is ok, or named with what is wrong.

The audit itself never fails over a video; `make_splits` decides what a fault means. Faults are missing, unreadable and
damaged; short (fewer frames than a clip), duplicate (the frames of another video) and unlisted are worth knowing.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from video3d.common.console import run
from video3d.common.settings import read_settings
from video3d.common.tables import read_table
from video3d.dataset.audit_table import STATUSES, AuditedVideo, write_audit
from video3d.dataset.safe_names import safe_name
from video3d.dataset.video_table import (
    UNKNOWN_GROUPS,
    DatasetVideo,
    are_groups_unknown,
    classes_of,
    read_videos,
    select_classes,
)


def audit_videos(
    listed: Sequence[DatasetVideo], manifests: dict[str, dict[str, dict[str, str]]], clip_frames: int
) -> list[AuditedVideo]:
    """Return a row for every listed video, then for the unlisted ones.

    Args:
        listed: the videos of the data set.
        manifests: the rows of the manifests, by class and name on disk.
        clip_frames: how many frames a clip takes.
    """
    audited = []
    first_with: dict[str, str] = {}
    for video in listed:
        row = manifests[video.class_name].get(safe_name(video.name))
        same = first_with.setdefault(row["content"], video.name) if row and row["content"] else video.name
        status, message = judge_video(video.name, row, same, clip_frames)
        frames = int(row["frames"]) if row else 0
        audited.append(AuditedVideo(video.name, video.class_name, video.group, status, frames, message))
    known = {(video.class_name, safe_name(video.name)) for video in listed}
    for class_name, rows in manifests.items():
        for name, row in rows.items():
            if (class_name, name) not in known:
                message = row["message"] or "no list names it; it is not used"
                audited.append(AuditedVideo(name, class_name, "", "unlisted", int(row["frames"]), message))
    return audited


def judge_video(video: str, row: dict[str, str] | None, same: str, clip_frames: int) -> tuple[str, str]:
    """Return status and message of a listed video.

    Args:
        video: its name.
        row: its row of the manifest; None if it has none.
        same: the first video with the same frames, which may be the video itself.
        clip_frames: how many frames a clip takes.
    """
    if row is None:
        return "missing", "listed, but not among the videos"
    if row["status"] != "ok":
        return row["status"], row["message"]
    if same != video:
        return "duplicate", f"same frames as {same}"
    if int(row["frames"]) < clip_frames:
        return "short", f"{row['frames']} frames, a clip takes {clip_frames}"
    return "ok", ""


def read_manifest(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a manifest by video."""
    rows = read_table(path, ("video", "frames", "status", "message", "content"), "extract_frames")
    return {row["video"]: row for row in rows}


def format_audit(audited: Sequence[AuditedVideo]) -> str:
    """Return the number of videos of each status as text, by class, and a line for every video that is not ok."""
    counts: dict[str, Counter[str]] = {}
    for video in audited:
        counts.setdefault(video.class_name, Counter())[video.status] += 1
    total = sum(counts.values(), Counter())
    width = max([len("all classes"), *map(len, counts)])
    lines = [f"{'class':{width}}" + "".join(f"{status:>12}" for status in STATUSES)]
    for name, count in [*counts.items(), ("all classes", total)]:
        lines.append(f"{name:{width}}" + "".join(f"{count[status] or '·':>12}" for status in STATUSES))
    lines += [f"{video.video}: {video.status}: {video.message}" for video in audited if video.status != "ok"]
    return "\n".join(lines)


def main() -> None:
    """Write the table of the audit, and log what it says."""
    arguments = parse_arguments()
    videos = read_videos(arguments.videos)
    class_names = select_classes(classes_of(videos), arguments.classes)
    listed = [video for video in videos if video.class_name in class_names]
    manifests = {name: read_manifest(arguments.frames / f"{safe_name(name)}.csv") for name in class_names}
    audited = audit_videos(listed, manifests, read_settings(arguments.settings).clip.frames)
    write_audit(arguments.output, audited)
    logging.info("%s", format_audit(audited))
    if are_groups_unknown(videos):
        logging.warning("%s", UNKNOWN_GROUPS)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True, help="table of the data set, videos.csv")
    parser.add_argument("--frames", type=Path, required=True, help="folder with the manifests, <Class>.csv")
    parser.add_argument("--classes", nargs="+", required=True, help="names of the classes to audit")
    parser.add_argument("--settings", required=True, help="YAML or JSON text or file with the section `clip`")
    parser.add_argument("--output", type=Path, required=True, help="table to write, audit.csv")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
