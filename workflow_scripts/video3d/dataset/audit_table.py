"""The table of the audit: every listed video with what was found, and the videos that no list names."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.common.tables import read_table, write_table

COLUMNS = ("video", "class", "group", "status", "frames", "message")  # of the fields of `AuditedVideo`, in their order
STATUSES = ("ok", "missing", "unreadable", "damaged", "duplicate", "short", "unlisted")
FAULTS = ("missing", "unreadable", "damaged")  # the statuses of videos that cannot be used


class AuditedVideo(NamedTuple):
    """One row of the audit; `group` is empty for a video that no list names."""

    video: str
    class_name: str
    group: str
    status: str
    frames: int
    message: str


def write_audit(path: Path, audited: Iterable[AuditedVideo]) -> None:
    """Write the table of the audit, whole or not at all."""
    write_table(path, COLUMNS, audited)


def read_audit(path: Path) -> list[AuditedVideo]:
    """Return the rows of the audit, in its order. Raises UserError if the table is missing or damaged."""
    rows = read_table(path, COLUMNS, made_by="audit")
    try:
        return [
            AuditedVideo(video, class_name, group, status, int(frames), message)
            for video, class_name, group, status, frames, message in ([row[name] for name in COLUMNS] for row in rows)
        ]
    except ValueError as error:
        raise UserError(f"{path} is no table of an audit ({error}): make it again with audit") from error
