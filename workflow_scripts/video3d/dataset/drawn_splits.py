"""Splits that are drawn where a data set brings none: k folds of whole groups, stratified by class.

A fold is the test of one split, and the others are what that split trains on. What was drawn once stays: new groups go
where there is room. Nothing but the names, the seed and the former draw decides, so every machine draws the same.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.tables import read_table, write_table
from video3d.dataset.safe_names import natural_key
from video3d.dataset.video_table import DatasetVideo

COLUMNS = ("group", "fold")


def draw_splits(
    videos: Sequence[DatasetVideo], folds: int, seed: int, drawn: Mapping[str, int]
) -> tuple[list[DatasetVideo], dict[str, int]]:
    """Return the videos with their subset in each of `folds` splits, and the fold (from 1) of each group.

    `drawn` holds the folds of groups that were drawn before. Of two new groups the larger one is drawn first, each goes
    to the fold with the fewest videos of its classes, and what is equal after that is decided by a hash. The videos of
    a group stay together whatever their classes are. Raises UserError if a class has fewer groups than there are folds.
    """
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for video in videos:
        members[video.group][video.class_name] += 1
    require_groups(members, folds)
    fold_of = {group: fold for group, fold in drawn.items() if fold <= folds}
    loads: dict[int, Counter[str]] = {fold: Counter() for fold in range(1, folds + 1)}
    for group in members.keys() & fold_of.keys():
        loads[fold_of[group]] += members[group]

    def load(group: str, fold: int) -> tuple:
        of_classes = sum(count * loads[fold][name] for name, count in members[group].items())
        return of_classes, loads[fold].total(), _hash(seed, group, fold)

    new = sorted(members.keys() - fold_of.keys(), key=lambda group: (-members[group].total(), _hash(seed, group)))
    for group in new:
        fold_of[group] = min(loads, key=lambda fold: load(group, fold))
        loads[fold_of[group]] += members[group]
    return [_with_subsets(video, fold_of[video.group], folds) for video in videos], fold_of


def require_groups(members: Mapping[str, Counter[str]], folds: int) -> None:
    """Raise UserError that names each class with fewer groups than folds; `members`: videos by group and class."""
    groups = Counter(name for counts in members.values() for name in counts)
    if few := [f"{name} {groups[name]}" for name in sorted(groups, key=natural_key) if groups[name] < folds]:
        raise UserError(
            f"dataset: folds: {folds} splits need {folds} groups (recordings) of every class, but these have fewer: "
            f"{', '.join(few)}; add videos, draw fewer splits, or leave the class out of the folder"
        )


def read_draw(path: Path) -> dict[str, int]:
    """Return the fold of each group as it was drawn before; nothing if there was no draw.

    Raises UserError if the table is damaged.
    """
    if not path.is_file():
        return {}
    try:
        return {row["group"]: int(row["fold"]) for row in read_table(path, COLUMNS, "list_videos")}
    except ValueError as error:
        raise UserError(f"{path} is no table of a draw ({error}); delete it to draw the splits anew") from error


def write_draw(path: Path, fold_of: Mapping[str, int]) -> None:
    """Write the fold of each group, whole or not at all."""
    write_table(path, COLUMNS, sorted(fold_of.items(), key=lambda pair: natural_key(pair[0])))


def _with_subsets(video: DatasetVideo, tested: int, folds: int) -> DatasetVideo:
    return video._replace(subsets={split: "test" if split == tested else "train" for split in range(1, folds + 1)})


def _hash(*parts: object) -> bytes:
    return hashlib.sha256("\n".join(map(str, parts)).encode(errors="surrogatepass")).digest()
