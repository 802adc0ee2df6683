"""A version of the videos of a class: what tells that its frames are stale, without reading every video.

Names, sizes and times tell of a video that was replaced, added or removed; but times are also others in a copy of a
folder. So where these differ, the videos are read and compared with those that the manifest tells of. What was found is
kept beside the manifest, so they are read once.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.files import atomic_path, sha256
from video3d.common.tables import read_table
from video3d.dataset.video_files import is_video_file


def videos_version(folder: Path, manifest: Path, keep: bool = True) -> str:
    """Return what changes when a video in `folder` is replaced, added or removed, but not with file times alone.

    It is the version that was kept with `manifest` as long as the videos are those that were decoded, else a hash of
    their names, sizes and times. Without `keep`, or where nothing can be written, a copy's videos are read every time.
    """
    videos = _find_videos(folder)
    state = _hash_of_states(videos)
    version, seen = _read_kept(manifest)
    if not version or state == seen:
        return version or state
    if not _are_decoded(videos, folder, manifest):
        return state
    if keep:
        with contextlib.suppress(UserError):
            keep_version(manifest, version, seen=state)
    return version


def keep_version(manifest: Path, version: str, seen: str) -> None:
    """Keep beside `manifest` the version of the videos it tells of, and the hash that they were last recognised by."""
    with atomic_path(_kept_file(manifest)) as temporary:
        temporary.write_text(json.dumps({"version": version, "seen": seen}), encoding="utf-8")


def _find_videos(folder: Path) -> dict[str, os.stat_result]:
    """Return name and state of each video; of a link, the state of the video that it leads to."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:  # pathlib would take most of a dry run's time
        return {entry.name: entry.stat() for entry in entries if is_video_file(entry.name) and entry.is_file()}


def _hash_of_states(videos: dict[str, os.stat_result]) -> str:
    lines = [f"{name} {state.st_size} {state.st_mtime_ns}\n" for name, state in sorted(videos.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:32]


def _are_decoded(videos: dict[str, os.stat_result], folder: Path, manifest: Path) -> bool:
    """Return whether the manifest tells of the very bytes of these videos, and of no others.

    The newest are read first: if a video was replaced, it is mostly the newest one.
    """
    try:
        rows = read_table(manifest, ("video", "source"), made_by="extract_frames.py")
    except UserError:
        return False
    sources = {row["video"]: row["source"] for row in rows}
    newest_first = sorted(videos, key=lambda name: videos[name].st_mtime_ns, reverse=True)
    found = {name: sources.get(Path(name).stem) for name in newest_first}
    return len(sources) == len(videos) and all(
        source and sha256(folder / name).startswith(source) for name, source in found.items()
    )


def _read_kept(manifest: Path) -> tuple[str, str]:
    """Return what `keep_version` kept, or empty texts."""
    try:
        kept = json.loads(_kept_file(manifest).read_text(encoding="utf-8"))
        return kept["version"], kept["seen"]
    except (OSError, ValueError, TypeError, KeyError):
        return "", ""


def _kept_file(manifest: Path) -> Path:
    return manifest.with_name(f".{manifest.stem}.videos.json")
