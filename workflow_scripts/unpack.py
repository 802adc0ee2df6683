"""Unpack the videos of the wanted classes: an archive or a folder in, <videos>/<Class>/<video>.avi and a table out.

With lists, the class of a video comes from its name, v_<Class>_gNN_cNN.avi; where it lies in the source does not
matter. Videos of other known classes are passed over, a class that classInd.txt does not know is an error. Without
lists the videos are own ones, whose class is the first folder, or what a table says, and here they have safe names. Own
videos and those of a folder are linked; videos that are there already stay, whatever classes were wanted before.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from video3d.common.console import run
from video3d.common.disk import disk_faults_are_errors, require_space
from video3d.common.errors import UserError
from video3d.common.files import own_folder
from video3d.common.tables import write_table
from video3d.dataset.ucf101 import VideoName, read_all_lists, read_class_index
from video3d.dataset.video_table import select_classes, unknown_class
from video3d.fetch.archive_members import Member, is_video, require_sensible_size
from video3d.fetch.archives import Archive, Folder, open_archive
from video3d.fetch.own_videos import open_source, places
from video3d.fetch.unpacked import COLUMNS

NAMES_SHOWN = 5


def unpack(source: Path, lists: Path | None, classes: Sequence[str], videos: Path, table: Path) -> None:
    """Add the videos of `classes` (all of classInd.txt if empty) in `source` to the folder `videos`.

    Without `lists` they are own ones.

    Writes `table` last: a row for each of them, with its size in the source. Raises UserError and leaves `videos` as it
    was if the source is damaged or unsafe, holds a video twice, of a class that the lists do not know or under a name
    that tells no class, or lacks a wanted class altogether.
    """
    archive = open_archive(source) if lists else open_source(source)
    if lists:
        known = read_class_index(lists)
        wanted = select_classes(known, classes)
        chosen = choose_members(archive.members(), known, wanted, official_names(lists), source)
    else:
        wanted = list(classes)
        chosen = places(source, wanted)
    present = {member: place for member, place in chosen.items() if (videos / place).is_file()}
    if isinstance(archive, Folder) and not lists:  # links to where the folder was before are no videos that are there
        present = {
            member: place for member, place in present.items() if (videos / place).samefile(archive.path / member.name)
        }
    warn_of_other_sizes(present, videos, source)
    absent = {member: place for member, place in chosen.items() if member not in present}
    videos.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(archive, Folder):
        size = sum(member.size for member in absent)
        require_sensible_size(str(source), source.stat().st_size, sum(member.size for member in chosen))
        require_space(videos.parent, size, f"unpacking {source.name}")
    if absent:
        add_videos(archive, absent, videos)
    source_size = 0 if isinstance(archive, Folder) else source.stat().st_size
    rows = [(place.stem, place.parent.name, member.size, source_size) for member, place in chosen.items()]
    write_table(table, COLUMNS, sorted(rows))
    logging.info(
        "%s: %d videos of %d classes in %s, %d of them new", source, len(chosen), len(wanted), videos, len(absent)
    )


def add_videos(archive: Archive, absent: Mapping[Member, Path], videos: Path) -> None:
    """Unpack members to a folder beside `videos`, and move each to its place there once all are whole."""
    with disk_faults_are_errors(videos), own_folder(videos) as temporary:
        for name in {place.parent for place in absent.values()}:
            (temporary / name).mkdir(parents=True)
        archive.extract({member.name: temporary / place for member, place in absent.items()})
        for place in absent.values():
            (videos / place).unlink(missing_ok=True)  # a link to a file that is gone
            (videos / place).parent.mkdir(parents=True, exist_ok=True)
            (temporary / place).rename(videos / place)


def warn_of_other_sizes(present: Mapping[Member, Path], videos: Path, source: Path) -> None:
    """Warn of videos that are there with another size than they have in the source: they are kept."""
    differing = [str(place) for member, place in present.items() if (videos / place).stat().st_size != member.size]
    if differing:
        logging.warning(
            "%d videos in %s have another size than in %s and are kept as they are, such as %s; to take those of the "
            "source, delete them there, and the folder %s",
            len(differing), videos, source, ", ".join(differing[:NAMES_SHOWN]), videos / ".unpacked",
        )  # fmt: skip


def choose_members(
    members: Sequence[Member], known: Sequence[str], wanted: Sequence[str], official: dict[str, str], source: Path
) -> dict[Member, Path]:
    """Return the members to unpack and their places, <Class>/<video>.avi.

    Spelling follows the lists (`official`, by lower case), as copies of UCF101 differ in HandStandPushups.
    """
    videos = [member for member in members if is_video(member.name)]
    others = [member.name for member in members if not is_video(member.name)]
    if others:
        logging.info("%s: %d files are no videos and are ignored, such as %s", source, len(others), others[0])
    classes = find_classes(videos, known, source)
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


def find_classes(videos: Sequence[Member], known: Sequence[str], source: Path) -> list[str]:
    """Return the class of each video, by its name. Raises UserError if `known` lacks one, or for a misplaced video."""
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
    """Return the path of a member in its archive; some programs write it with backslashes."""
    return PurePosixPath(member.name.replace("\\", "/"))


def official_names(lists: Path) -> dict[str, str]:
    """Return the names of all videos in the lists, by their lower case."""
    return {video.video.lower(): video.video for video in read_all_lists(lists)}


def main() -> None:
    """Unpack the videos and write their table."""
    arguments = parse_arguments()
    unpack(arguments.source, arguments.lists, arguments.classes, arguments.videos, arguments.table)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--source", type=Path, required=True, help="ZIP or RAR archive, a folder of videos, or a table of own ones"
    )
    parser.add_argument("--lists", type=Path, help="folder with classInd.txt and the official lists; none: own videos")
    parser.add_argument("--classes", nargs="*", default=[], help="classes to unpack; none: all of classInd.txt")
    parser.add_argument("--videos", type=Path, required=True, help="folder to add the videos to, by class")
    parser.add_argument("--table", type=Path, required=True, help="table to write of the videos, CSV")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
