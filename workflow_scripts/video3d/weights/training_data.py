"""What weights were trained on, kept beside them, and what test videos have in common with it.

A test video is known to the network if it was trained or selected on that very video, by whatever name: its name or
its file is among the training data's. A test group is known if any video of it was: the videos of a group are cut from
one recording and share actor, place and camera.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.dataset.safe_names import natural_key
from video3d.dataset.split_table import Video
from video3d.frames.manifests import manifest_column

NAMES_SHOWN = 3
REMEDY = "To go on all the same, and have it said in every result: evaluate: {allow_leak: true}."


class Overlap(NamedTuple):
    """What some test videos have in common with training data; `known` is None where nobody knows those data.

    videos: of the test, by name, that were trained on. groups: of the test, as (class, group), of which any was.
    tested_videos, tested_groups: numbers of all those tested.
    """

    known: bool | None
    videos: list[str]
    groups: list[tuple[str, str]]
    tested_videos: int
    tested_groups: int

    def counts(self) -> dict:
        """Return the same in numbers, for metadata."""
        return {
            "training_data_known": self.known,
            "test_videos": self.tested_videos,
            "test_videos_trained_on": len(self.videos) if self.known is not None else None,
            "test_groups": self.tested_groups,
            "test_groups_trained_on": len(self.groups) if self.known is not None else None,
        }


def record_training_data(videos: Sequence[Video], sources: Sequence[str], start: Mapping | None = None) -> dict:
    """Return the training data as they are kept in weights.json.

    `videos` are those that were trained or validated on, `sources` the SHA-256 of each one's file. `start` is the
    metadata of the weights that the training started from, if it did: what those had seen, these have seen too.

    Returns `complete`, false if the data of the starting weights are unknown, and `videos`: class → group → video →
    SHA-256.
    """
    earlier = start.get("training_data") if start is not None else None
    seen: dict[str, dict[str, dict[str, str]]] = {}
    for class_name, groups in (earlier or {}).get("videos", {}).items():
        for group, names in groups.items():
            seen.setdefault(class_name, {}).setdefault(group, {}).update(names)
    for video, source in zip(videos, sources, strict=True):
        seen.setdefault(video.class_name, {}).setdefault(video.group, {})[video.name] = source
    complete = start is None or bool(earlier and earlier["complete"])
    return {"complete": complete, "videos": seen}


def compare_videos(training_data: Mapping | None, videos: Sequence[Video], sources: Sequence[str]) -> Overlap:
    """Return what test videos share with training data.

    Where the training data are not complete and nothing is shared with what is known of them, the answer is unknown.

    Args:
        training_data: as `record_training_data` returns them; None for unknown ones.
        videos: the test videos.
        sources: the SHA-256 of the file of each of them.
    """
    tested = {(video.class_name, video.group) for video in videos}
    seen = (training_data or {}).get("videos", {})
    groups = {(name, group) for name, group in tested if group in seen.get(name, {})}
    trained = {
        name: source for of_class in seen.values() for names in of_class.values() for name, source in names.items()
    }
    files = set(trained.values())
    shared = [video for video, source in zip(videos, sources, strict=True) if video.name in trained or source in files]
    of_renamed = {(video.class_name, video.group) for video in shared}
    known = True if training_data and (training_data["complete"] or shared or groups) else None
    all_groups = sorted({*groups, *of_renamed}, key=lambda pair: (pair[0], natural_key(pair[1])))
    return Overlap(known, [video.name for video in shared], all_groups, len(videos), len(tested))


def find_overlap(training_data: Mapping | None, split_table: Sequence[Video], frames: Path) -> Overlap:
    """Return what the test videos of a split table, whose manifests lie in `frames`, share with training data."""
    tested = [video for video in split_table if video.subset == "test"]
    return compare_videos(training_data, tested, manifest_column(frames, tested, "source"))


def require_unseen(found: Overlap, weights: str, tested: str) -> None:
    """Raise UserError that counts and names what is shared if the weights have seen test videos."""
    if not (found.videos or found.groups):
        return
    examples = found.videos[:NAMES_SHOWN] or [f"{name} g{group:0>2}" for name, group in found.groups[:NAMES_SHOWN]]
    raise UserError(
        f"{weights} were trained on {len(found.videos)} of the {found.tested_videos} test videos of {tested}, and on "
        f"{len(found.groups)} of its {found.tested_groups} groups (recordings), such as {', '.join(examples)}; "
        f"an accuracy on them says nothing about unseen videos. {REMEDY}"
    )
