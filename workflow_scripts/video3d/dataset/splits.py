"""Which videos of a data set train, validate and test in one split, and whether that is enough."""

from collections.abc import Collection, Iterable, Sequence

from video3d.common.errors import UserError
from video3d.dataset.safe_names import natural_key
from video3d.dataset.split_table import Video
from video3d.dataset.video_table import DatasetVideo

GROUPS_SHOWN = 10


def make_split(
    videos: Sequence[DatasetVideo], split: int, class_names: Sequence[str], validation_groups: Collection[int | str]
) -> list[Video]:
    """Return the videos of one split: those of training and validation, then the test; `frames` is still 0.

    Raises UserError if there is no such split, or if `validation_groups` are not groups of what is trained on or leave
    nothing to train on.

    Args:
        videos: of the data set.
        split: the number of the split.
        class_names: the classes that count; positions are the labels.
        validation_groups: what is moved from the training to the validation videos, in every class.
    """
    splits = sorted({number for video in videos for number in video.subsets})
    if split not in splits:
        raise UserError(f"splits: there is no split {split}; the data set has {', '.join(map(str, splits)) or 'none'}")
    labels, held_out = {name: label for label, name in enumerate(class_names)}, set(map(str, validation_groups))
    rows = []
    for name, class_name, group, subsets in videos:
        if class_name in labels and split in subsets:
            moved = subsets[split] == "train" and group in held_out
            subset = "validation" if moved else subsets[split]
            rows.append(Video(name, class_name, labels[class_name], group, subset, 0))
    groups = {row.group for row in rows if row.subset != "test"}
    if unknown := sorted(held_out - groups, key=natural_key):
        raise UserError(
            f"validation_groups: {', '.join(unknown)} not in the training list, whose groups are "
            f"{_enumerate(groups) or 'none'}; validation videos come from the training list only"
        )
    if groups and groups <= held_out:
        raise UserError("validation_groups: these are all groups of the training list; nothing is left to train on")
    return sorted(rows, key=lambda row: row.subset == "test")


def require_videos(rows: Iterable[Video], class_names: Sequence[str]) -> list[str]:
    """Raise UserError if there is nothing to test on, or nothing to train some class on.

    Returns the classes without test videos: the accuracy is then that of the other classes.
    """
    present = {(row.subset, row.class_name) for row in rows}
    for subset in ("train", "test"):
        without = [name for name in class_names if (subset, name) not in present]
        if len(without) == len(class_names):
            raise UserError(f"this split is empty: no usable {subset} video of the configured classes is in its list")
        if without and subset == "train":
            raise UserError(f"there is nothing to train on: no usable video of class {', '.join(without)}")
    return without


def _enumerate(groups: Collection[str]) -> str:
    """Return the names of groups as text, in their natural order, with neighbouring numbers joined: 8–25."""
    if not all(group.isdecimal() for group in groups):
        shown = sorted(groups, key=natural_key)
        return ", ".join(shown[:GROUPS_SHOWN]) + (f" … {len(shown)} in all" if len(shown) > GROUPS_SHOWN else "")
    parts: list[list[int]] = []
    for number in sorted(map(int, groups)):
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)
