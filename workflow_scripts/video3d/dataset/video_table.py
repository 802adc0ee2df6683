"""The table of a data set, data/<dataset>/videos.csv: its videos with class, group and, for each split, the subset.

Every format ends in this table, and what comes after it knows no format. The classes come in the order of their labels.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.common.tables import read_table, write_table

SUBSETS = ("train", "validation", "test")
COLUMNS = ("video", "class", "group")  # and split1, split2, …
MADE_BY = "list_videos"
UNKNOWN_GROUPS = (
    "every video counts as a recording of its own: if several are cut from one, or show one person or place, some are "
    "trained on and others tested, and the accuracy is too high; say what a recording is with dataset: groups"
)


class DatasetVideo(NamedTuple):
    """One row: a video and, by the number of the split, its subset there; a split that does not use it is not named.

    The videos of a group, such as those cut from one recording, have to be in one subset.
    """

    name: str
    class_name: str
    group: str
    subsets: dict[int, str]


def write_videos(path: Path, videos: Sequence[DatasetVideo]) -> None:
    """Write the table of a data set, whole or not at all."""
    splits = sorted({split for video in videos for split in video.subsets})
    rows = ((*video[:3], *(video.subsets.get(split, "") for split in splits)) for video in videos)
    write_table(path, (*COLUMNS, *(f"split{split}" for split in splits)), rows)


def read_videos(path: Path) -> list[DatasetVideo]:
    """Return the videos of a data set, class by class. Raises UserError if the table is missing, damaged or empty."""
    videos = []
    for row in read_table(path, COLUMNS, MADE_BY):
        subsets = {int(name[5:]): text for name, text in row.items() if re.fullmatch(r"split\d+", name or "") and text}
        videos.append(DatasetVideo(row["video"], row["class"], row["group"], subsets))
        if wrong := set(subsets.values()) - set(SUBSETS):
            raise UserError(f"{path}: {row['video']} has the subset {wrong.pop()!r}: make it again with {MADE_BY}")
    if not videos:
        raise UserError(f"{path} lists no video: make it again with {MADE_BY}")
    return videos


def classes_of(videos: Iterable[DatasetVideo]) -> list[str]:
    """Return the names of the classes, in the order of their labels."""
    return list(dict.fromkeys(video.class_name for video in videos))


def are_groups_unknown(videos: Iterable[DatasetVideo]) -> bool:
    """Return whether each video is a group of its own and is named so: nobody said which recording it is cut from."""
    return all(video.group == video.name for video in videos)


def select_classes(known: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return `wanted` in the order of `known`, or all of `known` if it is empty: positions are the labels.

    Raises UserError that gives the nearest spelling of a class that the data set does not have.
    """
    unknown = [name for name in wanted if name not in known]
    if unknown:
        first = "; ".join(unknown_class(name, known) for name in unknown[:3])
        more = f"; and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise UserError(f"dataset: classes: {first}{more}; the data set has {_enumerate(known)}")
    return [name for name in known if name in wanted or not wanted]


def unknown_class(name: str, known: Sequence[str]) -> str:
    """Return in words that there is no class `name`, and which of those that are `known` may have been meant."""
    by_lower_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return f"there is no class {name}" + (f", did you mean {by_lower_case[near[0]]}?" if near else "")


def _enumerate(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    return f"{len(names)} classes: {shown}"
