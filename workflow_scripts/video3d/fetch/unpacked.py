"""The table of the videos that `unpack` took from a source: what tells that nothing is left to unpack."""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.settings import DatasetSettings
from video3d.common.tables import read_table
from video3d.dataset.ucf101 import VideoName
from video3d.fetch.archive_members import is_video
from video3d.fetch.own_videos import open_source, places

COLUMNS = ("video", "class", "bytes", "source_bytes")


def unpacked_table(dataset: DatasetSettings) -> Path:
    """Return where the table of a data set is.

    Each selection of classes has its own, as unpacking only ever adds videos.
    """
    selection = "\n".join(dataset.classes)
    mark = hashlib.sha256(selection.encode()).hexdigest()[:8] if selection else "all"
    return Path("data", dataset.name, "videos", ".unpacked", f"{mark}.csv")


def is_unpacked(table: Path, source: Path, classes: Collection[str]) -> bool:
    """Return whether the table lists the videos of `classes` in `source`, an archive or a folder.

    An archive is taken for the one that was unpacked if it has the same size, or if it is gone; a folder if it holds no
    video of the classes that is not in the table. So new file times unpack nothing.
    """
    try:
        rows = read_table(table, COLUMNS, "unpack")
    except UserError:
        return False
    if source.is_dir():
        listed = {row["video"].lower() for row in rows}
        return all(name.lower() in listed for name in find_videos_of_classes(source, classes))
    return bool(rows) and (not source.is_file() or rows[0]["source_bytes"] == str(source.stat().st_size))


def are_own_videos_linked(table: Path, source: Path, classes: Collection[str], videos: Path) -> bool:
    """Return whether the table has just the own videos of `classes` in `source`, and `videos` has links to them.

    A video that was removed there has to leave the table, too; a folder that was moved is linked to anew.
    """
    try:
        rows = read_table(table, COLUMNS, "unpack")
    except UserError:
        return False
    now, folder = places(source, classes), open_source(source).path
    listed = {(row["class"], row["video"]) for row in rows} == {
        (place.parent.name, place.stem) for place in now.values()
    }
    return listed and all(_leads_to(videos / place, folder / member.name) for member, place in now.items())


def _leads_to(link: Path, file: Path) -> bool:
    try:
        return link.samefile(file)
    except OSError:
        return False


def find_videos_of_classes(folder: Path, classes: Collection[str]) -> list[str]:
    """Return the names of the videos of `classes` in a folder and below, without the ending."""
    wanted = {name.lower() for name in classes}
    names = [Path(file).stem for _, _, files in os.walk(folder, followlinks=True) for file in files if is_video(file)]
    return [name for name in names if _class_of(name) in wanted]


def _class_of(name: str) -> str:
    try:
        return VideoName.parse(name).class_name.lower()
    except UserError:
        return ""
