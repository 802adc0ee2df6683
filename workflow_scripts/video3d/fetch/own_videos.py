"""Own videos where they lie, in a folder, in an archive or where a table says: their names there, and places here."""

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from video3d.common.files import sha256
from video3d.dataset.safe_names import safe_name
from video3d.dataset.table_of_videos import is_table, list_videos
from video3d.dataset.video_files import is_video_file
from video3d.fetch.archive_members import Member
from video3d.fetch.archives import Archive, Folder, open_archive


@cache
def find_videos(source: Path) -> dict[str, Member]:
    """Return the videos in the folder or the archive `source` by their path there, without what all have in front.

    What is hidden and what is no video by its name is passed over. A folder that holds the whole archive does not
    count. A table lists its videos itself. Raises UserError if the source is missing or can do harm.
    """
    if is_table(source):
        return {}
    archive = open_archive(source)
    as_named = isinstance(archive, Folder)  # a backslash is part of a name there; some programs put it into archives
    videos = {
        (member.name if as_named else member.name.replace("\\", "/")): member
        for member in archive.members()
        if is_video_file(member.name) and not _is_hidden(member.name)
    }
    tops = {name.partition("/")[0] for name in videos}
    if not as_named and len(tops) == 1 and all(name.count("/") > 1 for name in videos):
        return {name.partition("/")[2]: member for name, member in videos.items()}
    return videos


def open_source(source: Path) -> Archive:
    """Open what own videos are taken from: a folder, an archive, or the folder that a table's paths begin at."""
    return Folder(source.parent) if is_table(source) else open_archive(source)


def place_of(class_name: str, name: str) -> Path:
    """Return where a video is unpacked below data/<dataset>/videos: <Class>/<video> and the ending, as safe names."""
    return Path(safe_name(class_name), safe_name(name) + Path(name).suffix.lower())


def places(source: Path, classes: Collection[str]) -> dict[Member, Path]:
    """Return the videos of `classes` in `source` and their places."""
    if is_table(source):
        listed = [(video.name, video.class_name) for video in list_videos(source)]
        found = {name: Member(name, (source.parent / name).stat().st_size) for name, _ in listed}
    else:
        found = find_videos(source)
        listed = [(name, name.partition("/")[0]) for name in found]
    return {found[name]: place_of(class_name, name) for name, class_name in listed if class_name in classes}


def version_of_names(source: Path) -> str:
    """Return what changes when a video in a folder is added, removed or renamed, or a table changes."""
    if is_table(source):
        return sha256(source)[:32]
    return hashlib.sha256("\n".join(sorted(find_videos(source))).encode(errors="surrogatepass")).hexdigest()[:32]


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.replace("\\", "/").split("/"))
