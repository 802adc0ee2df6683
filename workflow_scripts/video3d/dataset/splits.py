"""Which listed videos of one official split train, validate and test, and whether that is enough."""

from collections.abc import Collection, Iterable, Sequence

from video3d.common.errors import UserError
from video3d.dataset.split_table import Video
from video3d.dataset.ucf101 import ListedVideo


def make_split(
    train: Sequence[ListedVideo],
    test: Sequence[ListedVideo],
    class_names: Sequence[str],
    validation_groups: Collection[int],
) -> list[Video]:
    """Return the videos of the classes `class_names`, in the order of the lists; `frames` is still 0.

    Raises UserError if a list has no video of these classes, or if `validation_groups` are not groups of the training
    list or leave nothing to train on.
    """
    labels = {name: label for label, name in enumerate(class_names)}
    rows = []
    for subset, listed in (("train", train), ("test", test)):
        for video in listed:
            if video.class_name in labels:
                held_out = subset == "train" and video.group in validation_groups
                name = "validation" if held_out else subset
                rows.append(Video(video.video, video.class_name, labels[video.class_name], video.group, name, 0))
    groups = {row.group for row in rows if row.subset != "test"}
    if unknown := sorted(set(validation_groups) - groups):
        raise UserError(
            f"validation_groups: {', '.join(map(str, unknown))} not in the training list, whose groups are "
            f"{_ranges(groups) or 'none'}; validation videos come from the training list only"
        )
    if groups and groups <= set(validation_groups):
        raise UserError("validation_groups: these are all groups of the training list; nothing is left to train on")
    return rows


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


def _ranges(numbers: Iterable[int]) -> str:
    """Return numbers as text, ascending, with neighbours joined: 8–25."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)
