"""Decode the videos of one class into one frame pack, and write the manifest that says what came out.

A video that cannot be decoded, or only in part, stops nothing: it is named here, in the manifest and in the audit.
An extraction that was killed goes on after the last finished video when it is started again.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from video3d.common.console import progress, run
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.settings import read_settings
from video3d.common.tables import write_table
from video3d.frames import extraction
from video3d.frames.extraction import Decoders, ExtractedVideo
from video3d.frames.ffmpeg import extraction_command, ffmpeg_program, ffmpeg_version
from video3d.frames.frame_pack import PackWriter


def extract_class(
    videos: Sequence[Path], short_side: int, quality: int, threads: int, pack_path: Path, manifest_path: Path
) -> list[ExtractedVideo]:
    """Write pack and manifest of `videos`, with up to `threads` of them being decoded at once; return the manifest."""
    pack = PackWriter(pack_path)
    journal = manifest_path.with_name(f".{manifest_path.name}.partial")
    fingerprint = extraction_fingerprint(short_side, quality)
    sources = [[fingerprint, video.name, video.stat().st_size, video.stat().st_mtime_ns] for video in videos]
    finished = read_journal(journal, sources)
    if finished and pack.resume(finished[-1]["end"]):
        logging.info("%d videos were finished before; going on after them", len(finished))
    else:
        finished = []
    manifest = [ExtractedVideo(*entry["row"]) for entry in finished]
    rest = videos[len(finished) :]
    try:
        with pack, Decoders(rest, short_side, quality, threads) as decoders, journal.open("w") as log:
            log.writelines(json.dumps(entry) + "\n" for entry in finished)
            for decoding in progress(decoders, total=len(rest), unit="video", description=pack_path.stem):
                facts = pack.add(decoding.video.stem, decoders.frames(decoding))
                entry = {"source": sources[len(manifest)], "row": decoding.result(*facts), "end": pack.size}
                manifest.append(entry["row"])
                log.write(json.dumps(entry) + "\n")
                log.flush()
        write_table(manifest_path, ExtractedVideo._fields, manifest)
    except Exception:
        journal.unlink(missing_ok=True)
        raise
    journal.unlink()
    return manifest


def find_videos(folder: Path) -> list[Path]:
    """The videos in `folder`, by name. Raises UserError if there is no such folder."""
    if not folder.is_dir():
        raise UserError(f"there are no videos of class {folder.name}: {folder} is not a folder; is it in the archive?")
    return sorted(path for path in folder.glob("*.avi") if path.is_file())


def extraction_fingerprint(short_side: int, quality: int) -> str:
    """What finished videos depend on beside the videos themselves, as text."""
    code = sha256(extraction.__file__)
    version = ".".join(map(str, ffmpeg_version(ffmpeg_program())))
    return " ".join([code, version, str(quality), *extraction_command(Path("video"), short_side)])


def read_journal(path: Path, sources: Sequence[list]) -> list[dict]:
    """The first entries of a killed extraction's journal, as far as they were made from the same `sources`."""
    entries: list[dict] = []
    if not path.is_file():
        return entries
    for source, line in zip(sources, path.read_text().splitlines(), strict=False):
        try:
            entry = json.loads(line)
        except ValueError:  # the line that was being written
            break
        if entry["source"] != source:
            break
        entries.append(entry)
    return entries


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
    """Parse the arguments and extract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, required=True, help="folder with the videos of one class")
    parser.add_argument("--settings", required=True, help="YAML or JSON text or file with the section `frames`")
    parser.add_argument("--threads", type=int, default=1, help="videos decoded at once")
    parser.add_argument("--pack", type=Path, required=True, help="frame pack to write, <Class>.zip")
    parser.add_argument("--manifest", type=Path, required=True, help="table to write, <Class>.csv")
    arguments = parser.parse_args()
    settings = read_settings(arguments.settings).frames
    videos = find_videos(arguments.videos)
    manifest = extract_class(
        videos, settings.short_side, settings.quality, arguments.threads, arguments.pack, arguments.manifest
    )
    summarise(arguments.videos.name, manifest)


if __name__ == "__main__":
    sys.exit(run(main))
