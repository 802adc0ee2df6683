"""Format `folders`: own videos in a folder of class folders, with any names and in any containers."""

import re
from collections.abc import Iterable, Iterator, Sequence

from video3d.common.errors import UserError
from video3d.common.printable import printable
from video3d.dataset.safe_names import natural_key, same_to_people
from video3d.dataset.video_table import SUBSETS, DatasetVideo

NAMES_SHOWN = 5
LONGEST_CLASS = 200  # characters
UNSPEAKABLE = re.compile(r"^-|[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
NOT_CLASSES = {*SUBSETS, "training", "val", "valid", "testing"}
LAYOUT = "expected <Class>/<any name>.mp4 (or another container), with folders below the class folders as you like"


def list_videos(files: Iterable[str], groups: int | str = "") -> list[DatasetVideo]:
    """Return the videos at the paths `files` below the folder, by class, group and name; they have no subsets yet.

    The class of a video is the first folder on its way, its name the whole path. Its group is what the first
    parentheses of the regular expression `groups` match in the path below the class folder; or, if `groups` is a
    number, the folder of that level below the class folder; without `groups` each video is a group of its own.
    Raises UserError that tells all that is wrong with the files.
    """
    paths = sorted(files, key=natural_key)
    faults = [*_name_faults(paths), *_class_faults([path for path in paths if "/" in path])]
    videos, ungrouped = [], []
    for path in paths:
        class_name, _, below = path.partition("/")
        group = _group(below, groups) if groups else path
        videos.append(DatasetVideo(path, class_name, group, {}))
        ungrouped += [path] if not group and below else []
    if ungrouped:
        meant = f"lie in no folder of level {groups}" if isinstance(groups, int) else f"do not match {groups!r}"
        faults.append(f"dataset: groups: {len(ungrouped)} of {len(videos)} videos {meant}: {_enumerate(ungrouped)}")
    if faults:
        raise UserError("\n".join(faults))
    return sorted(videos, key=lambda video: (natural_key(video.class_name), natural_key(video.group)))


def _group(below: str, groups: int | str) -> str:
    """Return the group of a video from its path below the class folder; empty if that tells none."""
    if isinstance(groups, int):
        folders = below.split("/")[:-1]
        return "/".join(folders[:groups]) if len(folders) >= groups else ""
    match = re.search(groups, below)
    return match[1] or "" if match else ""


def _name_faults(paths: Sequence[str]) -> Iterator[str]:
    if loose := [path for path in paths if "/" not in path]:
        yield f"{len(loose)} videos lie in no class folder: {_enumerate(loose)}; {LAYOUT}"
    if odd := [path for path in paths if UNSPEAKABLE.search(path)]:
        yield f"{len(odd)} names hold control characters, are no UTF-8 or begin with -: {_enumerate(odd)}; rename them"


def _class_faults(paths: Sequence[str]) -> Iterator[str]:
    classes = list(dict.fromkeys(path.partition("/")[0] for path in paths))
    if not classes:
        yield f"there is no video; {LAYOUT}"
    elif {name.lower() for name in classes} <= NOT_CLASSES:
        yield f"the folders {', '.join(classes)} are subsets and no classes; put all class folders into one folder"
    elif len(classes) == 1:
        below = {path.split("/")[1] for path in paths if path.count("/") > 1}
        hint = f"; are {_enumerate(below)} the classes? Then name the folder {classes[0]} itself" if below else ""
        yield f"there is one class folder alone, {classes[0]}, and a network needs two classes{hint}"
    yield from class_name_faults(classes)


def class_name_faults(classes: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the names of classes, whose order does not matter."""
    if long := [name for name in classes if len(name) > LONGEST_CLASS]:
        yield f"the names of {len(long)} classes are longer than {LONGEST_CLASS} characters: {_enumerate(long)}"
    if odd := [name for name in classes if UNSPEAKABLE.search(name) or "/" in name]:
        yield f"{len(odd)} classes have control characters, / or a first - in their names: {_enumerate(odd)}"
    by_name: dict[str, list[str]] = {}
    for name in classes:
        by_name.setdefault(same_to_people(name), []).append(name)
    for same in by_name.values():
        if len(same) > 1:
            yield f"the classes {' and '.join(same)} look the same to people; make one of them"


def _enumerate(names: Iterable[str]) -> str:
    names = sorted(names, key=natural_key)
    return ", ".join(map(printable, names[:NAMES_SHOWN])) + (" …" if len(names) > NAMES_SHOWN else "")
