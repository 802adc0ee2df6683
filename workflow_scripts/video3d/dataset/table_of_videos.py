"""Format `table`: own videos wherever they lie, with class, group and subsets in a CSV file."""

import csv
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.printable import printable
from video3d.dataset.folders import UNSPEAKABLE, class_name_faults
from video3d.dataset.safe_names import natural_key
from video3d.dataset.video_files import is_video_file
from video3d.dataset.video_table import SUBSETS, DatasetVideo

COLUMNS = "path, class, and if you like group, and split or split1, split2 …"
FAULTS_SHOWN = 20


def is_table(source: Path) -> bool:
    """Return whether own videos come from a table: a file whose name ends in .csv."""
    return source.suffix.lower() == ".csv" and not source.is_dir()


def list_videos(table: Path) -> list[DatasetVideo]:
    """Return the videos that a CSV file lists, by class, group and name.

    Its columns are `path` (relative to the file's folder, or absolute) and `class`; `group`, without which a video is
    a group of its own; and `split`, or `split1`, `split2` …, with train, validation, test, or nothing for a video that
    the split does not use. The name of a video is its path as it is written. Raises UserError that tells all that is
    wrong, with the lines.
    """
    rows, splits = _read(table)
    videos, lines, faults = [], {}, []
    for line, row in rows:
        name, class_name = row["path"], row["class"]
        subsets = {split: row[column] for column, split in splits.items() if row[column]}
        faults += [f"line {line}: {fault}" for fault in _row_faults(table.parent, name, class_name, subsets)]
        if name in lines:
            faults.append(f"line {line}: {printable(name)} is listed in line {lines[name]} already")
        lines.setdefault(name, line)
        videos.append(DatasetVideo(name, class_name, row.get("group") or name, subsets))
    faults += [*class_name_faults(sorted({video.class_name for video in videos} - {""})), *_leaks(videos, lines)]
    if faults:
        more = [f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else []
        raise UserError("\n".join(f"{table}: {fault}" for fault in [*faults[:FAULTS_SHOWN], *more]))
    return sorted(videos, key=lambda video: [natural_key(part) for part in (video.class_name, video.group, video.name)])


def _read(table: Path) -> tuple[list[tuple[int, dict[str, str]]], dict[str, int]]:
    """Return the rows with the numbers of their lines, and the number of the split for each column that has one."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            rows = [
                (reader.line_num, {key: (text or "").strip() for key, text in row.items() if key}) for row in reader
            ]
            names = [name or "" for name in reader.fieldnames or []]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{table} cannot be read as a CSV file in UTF-8 ({error})") from error
    splits = {name: int(name[5:] or 1) for name in names if re.fullmatch("split([1-9][0-9]?)?", name)}
    known = {"path", "class", "group", *splits}
    if not {"path", "class"} <= set(names) or len(set(names)) < len(names) or {"split", "split1"} <= set(names):
        raise UserError(
            f"{table}: the first line has to name the columns {COLUMNS}, each once; it is {','.join(names)}"
        )
    if unknown := [name for name in names if name.lower().startswith(("group", "split")) and name not in known]:
        raise UserError(f"{table}: there is no column {unknown[0]}; the columns are {COLUMNS}")
    if not rows:
        raise UserError(f"{table} lists no video")
    return rows, splits


def _row_faults(folder: Path, name: str, class_name: str, subsets: dict[int, str]) -> Iterator[str]:
    if not name or not class_name:
        yield "path and class have to be given"
    elif UNSPEAKABLE.search(name):
        yield f"the path {printable(name)} holds control characters or begins with -"
    elif not is_video_file(name):
        yield f"{name} does not end as a video does"
    elif not os.path.isfile(folder / name):  # noqa: PTH113  pathlib raises an error for names that are too long
        yield f"{name} does not exist" + ("" if Path(name).is_absolute() else f" in {folder}")
    for subset in subsets.values():
        if subset not in SUBSETS:
            yield f"{printable(subset)} is no subset; expected {', '.join(SUBSETS)} or nothing"


def _leaks(videos: Sequence[DatasetVideo], lines: dict[str, int]) -> Iterator[str]:
    """Yield each group that is in two subsets of a split, as far as the table has groups."""
    first: dict[tuple[int, str], DatasetVideo] = {}
    told = set()
    for video in videos:
        for split, subset in video.subsets.items():
            other = first.setdefault((split, video.group), video)
            if other.subsets[split] != subset and (split, video.group) not in told:
                told.add((split, video.group))
                yield (
                    f"group {printable(video.group)} is in {other.subsets[split]} (line {lines[other.name]}) and in "
                    f"{subset} (line {lines[video.name]}) of split {split}; a group has to be whole in one of them"
                )
