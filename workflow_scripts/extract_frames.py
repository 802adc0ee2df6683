"""Decode the videos of one class into one frame pack, and write the manifest that says what came out.

A video that cannot be decoded, or only in part, stops nothing: it is named here, in the manifest and in the audit.
An extraction that was killed starts anew: a class takes seconds.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from video3d.common.console import progress, run
from video3d.common.errors import UserError
from video3d.common.settings import read_settings
from video3d.common.tables import write_table
from video3d.dataset.video_files import is_video_file
from video3d.frames.extraction import Decoders, ExtractedVideo
from video3d.frames.frame_pack import PackWriter
from video3d.frames.videos_version import keep_version


def extract_class(
    videos: Sequence[Path], short_side: int, quality: int, threads: int, pack_path: Path, manifest_path: Path
) -> list[ExtractedVideo]:
    """Write the pack and the manifest of one class, and return the rows of the manifest.

    Args:
        videos: video files, in the order that they get in the pack.
        short_side: of the stored frames, in pixels.
        quality: of the JPEGs, 1 to 100.
        threads: how many videos are decoded at once; what is written does not depend on it.
        pack_path: where the pack is written.
        manifest_path: where the manifest is written, after the pack.
    """
    manifest = []
    with PackWriter(pack_path) as pack, Decoders(videos, short_side, quality, threads) as decoders:
        for decoding in progress(decoders, total=len(videos), unit="video", description=pack_path.stem):
            facts = pack.add(decoding.video.stem, decoders.frames(decoding))
            manifest.append(decoding.result(*facts))
    write_table(manifest_path, ExtractedVideo._fields, manifest)
    return manifest


def list_videos(folder: Path) -> list[Path]:
    """Return the videos in `folder`, by name. Raises UserError if there is no such folder."""
    if not folder.is_dir():
        raise UserError(f"there are no videos of class {folder.name}: {folder} is not a folder; is it in the archive?")
    return sorted(path for path in folder.iterdir() if is_video_file(path.name) and path.is_file())


def summarise(class_name: str, manifest: Sequence[ExtractedVideo]) -> None:
    """Log how much was extracted and which videos are faulty."""
    count = sum(video.frames for video in manifest)
    size = sum(video.bytes for video in manifest)
    faulty = [video for video in manifest if video.status != "ok"]
    logging.info(
        "%s: %d videos, %d frames, %.1f KB per frame, %d faulty",
        class_name, len(manifest), count, size / max(count, 1) / 1000, len(faulty),
    )  # fmt: skip
    for video in faulty:
        logging.warning("%s is %s after %d frames: %s", video.video, video.status, video.frames, video.message)


def main() -> None:
    """Extract the frames of the class and log what was found."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings).frames
    videos = list_videos(arguments.videos)
    manifest = extract_class(
        videos, settings.short_side, settings.quality, arguments.threads, arguments.pack, arguments.manifest
    )
    if version := arguments.videos_version:
        keep_version(arguments.manifest, version, seen=version)
    summarise(arguments.videos.name, manifest)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True, help="folder with the videos of one class")
    parser.add_argument(
        "--videos-version", help="kept beside the manifest, for the workflow to recognise the videos by"
    )
    parser.add_argument("--settings", required=True, help="YAML or JSON text or file with the section `frames`")
    parser.add_argument("--threads", type=int, default=1, help="videos decoded at once")
    parser.add_argument("--pack", type=Path, required=True, help="frame pack to write, <Class>.zip")
    parser.add_argument("--manifest", type=Path, required=True, help="table to write, <Class>.csv")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
