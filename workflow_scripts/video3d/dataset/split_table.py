"""The table of one split: its videos with class, label, group, subset and number of frames."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.common.tables import read_table, write_table
from video3d.dataset.safe_names import natural_key, safe_name

COLUMNS = ("video", "class", "label", "group", "subset", "frames")  # of the fields of `Video`, in their order


class Video(NamedTuple):
    """One row of a split table; `label` is 0-based, `subset` is train, validation or test."""

    name: str
    class_name: str
    label: int
    group: str
    subset: str
    frames: int

    @property
    def folder(self) -> str:
        """The name of its frames' folder in the pack, and of its row in the manifest."""
        return safe_name(self.name)

    @property
    def pack(self) -> str:
        """The name of its class's pack and manifest, without the ending."""
        return safe_name(self.class_name)


def write_split(path: Path, videos: Iterable[Video]) -> None:
    """Write a split table, whole or not at all."""
    write_table(path, COLUMNS, videos)


def read_split(path: str | os.PathLike) -> list[Video]:
    """Return the videos of a split table, in its order.

    Raises UserError if the table is missing, damaged or empty.
    """
    rows = read_table(Path(path), COLUMNS, made_by="make_splits.py")
    try:
        videos = [
            Video(name, class_name, int(label), group, subset, int(frames))
            for name, class_name, label, group, subset, frames in ([row[name] for name in COLUMNS] for row in rows)
        ]
    except ValueError as error:
        raise UserError(f"{path} is no split table ({error}): make it again with make_splits.py") from error
    if not videos:
        raise UserError(f"{path} lists no video: look into the audit, then make it again with make_splits.py")
    return videos


def class_names(videos: Sequence[Video]) -> list[str]:
    """Return the names of the classes, in the order of their labels.

    Raises UserError unless the labels are 0, 1, 2, … and each belongs to one class.
    """
    names = dict(sorted({(video.label, video.class_name) for video in videos}))
    pairs = {(video.label, video.class_name) for video in videos}
    if list(names) != list(range(len(names))) or len(pairs) != len(names):
        raise UserError(f"the split table's labels are not 0 … {len(pairs) - 1}, one a class: {sorted(pairs)[:5]} …")
    return list(names.values())


def number_groups(videos: Sequence[Video]) -> list[int]:
    """Return a number for the group of each video, from 0, in the natural order of the groups' names."""
    order = sorted({video.group for video in videos}, key=natural_key)
    numbers = {group: number for number, group in enumerate(order)}
    return [numbers[video.group] for video in videos]
