"""Unpack the videos of the wanted classes: an archive or a folder in, <output>/<Class>/<video>.avi out.

The class of a video comes from its name, v_<Class>_gNN_cNN.avi; where it lies in the source does not matter. Videos of
other known classes are passed over, a class that classInd.txt does not know is an error. A folder's videos are linked.
"""

import argparse
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from video3d.archives import Folder, Member, is_video, open_archive, require_sensible_size
from video3d.console import UserError, run
from video3d.disk import full_disk_is_an_error, require_space
from video3d.files import atomic_path
from video3d.ucf101 import VideoName, read_all_lists, read_class_index, select_classes, unknown_class


def unpack(source: Path, lists: Path, classes: Sequence[str], output: Path) -> None:
    """Unpack the videos of `classes` (all of classInd.txt if empty) from `source` to a new folder `output`.

    Raises UserError and leaves `output` as it was if the source is damaged or unsafe, holds a video twice, of a class
    that the lists do not know or under a name that tells no class, or lacks a wanted class altogether.
    """
    archive = open_archive(source)
    known = read_class_index(lists)
    wanted = select_classes(known, classes)
    chosen = choose(archive.members(), known, wanted, official_names(lists), source)
    output.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(output)
    if not isinstance(archive, Folder):
        size = sum(member.size for member in chosen)
        require_sensible_size(str(source), source.stat().st_size, size)
        require_space(output.parent, size, f"unpacking {source.name}")
    with full_disk_is_an_error(output.parent), atomic_path(output) as temporary:
        for name in wanted:
            (temporary / name).mkdir(parents=True)
        archive.extract({member.name: temporary / place for member, place in chosen.items()})
    logging.info("%s: %d videos of %d classes in %s", source, len(chosen), len(wanted), output)


def choose(
    members: Sequence[Member], known: Sequence[str], wanted: Sequence[str], official: dict[str, str], source: Path
) -> dict[Member, Path]:
    """The members to unpack and their places, <Class>/<video>.avi.

    Spelling follows the lists (`official`, by lower case), as copies of UCF101 differ in HandStandPushups.
    """
    videos = [member for member in members if is_video(member.name)]
    others = [member.name for member in members if not is_video(member.name)]
    if others:
        logging.info("%s: %d files are no videos and are ignored, such as %s", source, len(others), others[0])
    classes = classes_of(videos, known, source)
    chosen: dict[Path, Member] = {}
    for member, name in zip(videos, classes, strict=True):
        path = member_path(member)
        place = Path(name, official.get(path.stem.lower(), path.stem) + ".avi")
        if place in chosen:
            raise UserError(f"{source}: {chosen[place].name} and {member.name} are the same video; remove one")
        if name in wanted:
            chosen[place] = member
    if missing := [name for name in wanted if name not in classes]:
        raise UserError(f"{source} has no video v_<class>_gNN_cNN.avi of the wanted class {', '.join(missing)}")
    return {member: place for place, member in chosen.items()}


def classes_of(videos: Sequence[Member], known: Sequence[str], source: Path) -> list[str]:
    """The class of each video, by its name. Raises UserError if `known` lacks one, or for a misplaced one."""
    spelling = {name.lower(): name for name in known}
    classes = []
    unknown: dict[str, str] = {}
    for video in videos:
        path = member_path(video)
        try:
            named = VideoName.parse(path.stem).class_name
        except UserError as error:
            raise UserError(f"{source}: {video.name}: {error}; move it away or rename it") from error
        name = spelling.get(named.lower())
        if name is None:
            unknown.setdefault(named, video.name)
        elif spelling.get(path.parent.name.lower(), name) != name:
            raise UserError(f"{source}: {video.name} is a video of {name} in the folder of another class")
        classes.append(name)
    if unknown:
        complaints = [f"  - {example}: {unknown_class(name, known)}" for name, example in unknown.items()]
        raise UserError(f"{source} has classes that classInd.txt does not have:\n" + "\n".join(complaints))
    return classes


def member_path(member: Member) -> PurePosixPath:
    """The path of a member in its archive; some programs write it with backslashes."""
    return PurePosixPath(member.name.replace("\\", "/"))


def official_names(lists: Path) -> dict[str, str]:
    """The names of all videos that the lists name, by their lower case."""
    return {video.video.lower(): video.video for video in read_all_lists(lists)}


def remove_leftovers(output: Path) -> None:
    """Remove what a killed run was unpacking."""
    for folder in output.parent.glob(f".{output.name}.*.part"):
        shutil.rmtree(folder)


def main() -> None:
    """Parse the arguments and unpack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="ZIP or RAR archive, or a folder of videos")
    parser.add_argument("--lists", type=Path, required=True, help="folder with classInd.txt and the official lists")
    parser.add_argument("--classes", nargs="*", default=[], help="classes to unpack; none: all of classInd.txt")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    arguments = parser.parse_args()
    unpack(arguments.source, arguments.lists, arguments.classes, arguments.output)


if __name__ == "__main__":
    sys.exit(run(main))
