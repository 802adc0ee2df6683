"""The tables beside the frame packs, which say what was decoded from each video."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.tables import read_table
from video3d.dataset.split_table import Video


def content_hash(frames: str | os.PathLike, videos: Sequence[Video]) -> str:
    """Return one hash over the videos and, by the manifests <Class>.csv beside the packs, the content of their frames.

    It changes when a frame, a label or the order changes, and stays when equal frames are extracted again.
    Raises UserError if a manifest is missing or does not know a video.
    """
    digest = hashlib.sha256()
    for video, content in zip(videos, manifest_column(frames, videos, "content"), strict=True):
        digest.update(f"{video},{content}\n".encode())
    return digest.hexdigest()


def manifest_column(frames: str | os.PathLike, videos: Sequence[Video], column: str) -> list[str]:
    """Return what the manifests <Class>.csv in the folder `frames` say in `column` about each of `videos`.

    Raises UserError if a manifest is missing, lacks the column or does not know a video.
    """
    tables: dict[str, dict[str, str]] = {}
    for name in {video.pack for video in videos}:
        rows = read_table(Path(frames) / f"{name}.csv", ("video", column), made_by="extract_frames.py")
        tables[name] = {row["video"]: row[column] for row in rows}
    unknown = [video for video in videos if not tables[video.pack].get(video.folder)]
    if unknown:
        first = unknown[0]
        raise UserError(f"{Path(frames) / first.pack}.csv does not know {first.name}; extract its frames again")
    return [tables[video.pack][video.folder] for video in videos]
