"""Own videos where they lie, in a folder or in an archive: their names there, and their places here."""

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from video3d.dataset.safe_names import safe_name
from video3d.dataset.video_files import is_video_file
from video3d.fetch.archive_members import Member
from video3d.fetch.archives import Folder, open_archive


@cache
def find_videos(source: Path) -> dict[str, Member]:
    """Return the videos in the folder or the archive `source` by their path there, without what all have in front.

    What is hidden and what is no video by its name is passed over. A folder that holds the whole archive does not
    count. Raises UserError if the source is missing or can do harm.
    """
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


def place_of(name: str) -> Path:
    """Return where a video is unpacked below data/<dataset>/videos: <Class>/<video> and the ending, as safe names."""
    return Path(safe_name(name.partition("/")[0]), safe_name(name) + Path(name).suffix.lower())


def places(source: Path, classes: Collection[str]) -> dict[Member, Path]:
    """Return the videos of `classes` in `source` and their places."""
    found = find_videos(source)
    return {member: place_of(name) for name, member in found.items() if name.partition("/")[0] in classes}


def version_of_names(source: Path) -> str:
    """Return what changes when a video in the folder `source` is added, removed or renamed."""
    return hashlib.sha256("\n".join(sorted(find_videos(source))).encode(errors="surrogatepass")).hexdigest()[:32]


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.replace("\\", "/").split("/"))
