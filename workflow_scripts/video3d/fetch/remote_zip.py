"""Fetch only some classes' videos out of a ZIP on a server, by byte ranges, instead of all 7 GB."""

import logging
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from remotezip import RangeNotSupported, RemoteIOError, RemoteZip, RemoteZipError

from video3d.common.console import progress
from video3d.common.disk import disk_faults_are_errors, require_space
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.common.stored_zip import StoredZip
from video3d.dataset.ucf101 import VIDEO_NAME, VideoName
from video3d.dataset.video_table import unknown_class
from video3d.fetch.archive_members import ZIP_ERRORS, is_video, require_sensible_size, zip_members
from video3d.fetch.download import download, link, require_checksum
from video3d.fetch.http_session import MirrorError, Session, TemporaryFailure, retry, translated_errors
from video3d.fetch.sources import DataSource, archive_name

CONNECTIONS = 4  # a request for a video of half a megabyte is mostly waiting
SETTING = "dataset.videos"
DIRECTORY_SIZE = 2 << 20  # bytes at the end of the ZIP that are fetched first; UCF101's directory has about 1.3 MB


def fetch_subset(source: DataSource, checksum: str | None, output: Path) -> None:
    """Make `output` a ZIP of the videos of `source.classes`, from the first mirror that serves byte ranges.

    The CRC of every video is checked; the SHA-256 of the whole archive cannot be. If the whole archive has been
    downloaded before, `output` becomes a link to it. If a mirror serves the file but no ranges, the whole is downloaded
    (and checked against `checksum`, which is therefore required here as well).
    Raises UserError if no mirror works, or if the archive lacks a class.
    """
    checksum = require_checksum(source.urls[0], checksum, SETTING)
    output.parent.mkdir(parents=True, exist_ok=True)
    whole = output.with_name(archive_name(source.urls[0]))
    if whole.is_file():
        link(whole, checksum, output, SETTING)
        return
    reasons, without_ranges = [], False
    for url in source.urls:
        try:
            fetch_classes(url, source.classes, output)
            return
        except RangeNotSupported:
            logging.warning("%s: serves no byte ranges, so single classes cannot be fetched", url)
            without_ranges = True
        except MirrorError as error:
            logging.warning("%s: %s", url, error)
            reasons.append(f"  - {url}: {error}")
    if not without_ranges:
        raise UserError(
            f"{output.name} could not be fetched:\n" + "\n".join(reasons) + "\nRun the same command again to continue, "
            f"add a mirror to {SETTING}, or get the whole file in another way and put its path there."
        )
    logging.warning("downloading the whole archive instead")
    download(source.urls, checksum, whole, SETTING)
    link(whole, None, output, SETTING)


def fetch_classes(url: str, classes: tuple[str, ...], output: Path) -> None:
    """Make `output` a ZIP of the videos of `classes` from the ZIP at `url`.

    Videos arrive one by one in the folder `<output>.part`, where a later call finds them.
    Raises RangeNotSupported, MirrorError, or UserError if the archive is unsafe, too large, or lacks a class.
    """
    folder = output.with_name(f"{output.name}.part")
    with Session() as session:
        videos = retry(lambda: list_videos(session, url, classes), url)
    size = sum(video.file_size for video in videos)
    require_space(output.parent, 2 * size, f"{output.name} (its videos, and the ZIP made of them)")
    folder.mkdir(exist_ok=True)
    with disk_faults_are_errors(output):
        fetch_missing(url, videos, folder, output.name)
        with StoredZip(output) as archive:
            for video in videos:
                archive.add(video.filename, part_path(folder, video).read_bytes())
    shutil.rmtree(folder)
    logging.info("%s: %d videos fetched by byte ranges from %s", output, len(videos), url)
    logging.info("every CRC is right; the SHA-256 of the whole archive cannot be checked")
    if not url.lower().startswith("https:"):
        logging.warning("without TLS nothing proves that these are the true videos")


def list_videos(session: Session, url: str, classes: tuple[str, ...]) -> list[zipfile.ZipInfo]:
    """Return the directory entries of the videos of `classes` in the ZIP at `url`, class by class."""
    with open_remote(session, url) as archive:
        zip_members(archive, url)
        of_class: dict[str, list[zipfile.ZipInfo]] = {}
        for info in archive.infolist():
            stem = PurePosixPath(info.filename.replace("\\", "/")).stem
            if is_video(info.filename) and VIDEO_NAME.fullmatch(stem):
                of_class.setdefault(VideoName.parse(stem).class_name, []).append(info)
        if absent := [name for name in classes if name not in of_class]:
            raise UserError(
                f"dataset.classes: in {url} " + "; ".join(unknown_class(name, list(of_class)) for name in absent)
            )
        videos = [info for name in classes for info in of_class[name]]
        require_sensible_size(url, archive.size(), sum(info.file_size for info in videos))
    return videos


def fetch_missing(url: str, videos: list[zipfile.ZipInfo], folder: Path, name: str) -> None:
    """Fetch those of `videos` that are not yet in `folder`, over several connections at once."""
    missing = [video for video in videos if not part_path(folder, video).exists()]
    size = sum(video.file_size for video in videos)
    connection = threading.local()

    def attempt(video: zipfile.ZipInfo) -> int:
        try:
            if not hasattr(connection, "archive"):
                connection.archive = open_remote(Session(), url)
            fetch_video(connection.archive, video, folder, url)
        except TemporaryFailure:
            vars(connection).clear()
            raise
        return video.file_size

    def fetch(video: zipfile.ZipInfo) -> int:
        return retry(lambda: attempt(video), url)

    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        with progress(total=size, unit="B", unit_scale=True, description=name) as bar:
            bar.initial = bar.n = size - sum(video.file_size for video in missing)
            for arrived in pool.map(fetch, missing):
                bar.update(arrived)
    finally:
        pool.shutdown(cancel_futures=True)


def fetch_video(archive: RemoteZip, video: zipfile.ZipInfo, folder: Path, url: str) -> None:
    """Write one video, whole and with the right CRC. Raises TemporaryFailure if something else arrived."""
    try:
        with (
            translated_errors(url),
            archive.open(video) as stream,
            atomic_path(part_path(folder, video)) as path,
            path.open("wb") as file,
        ):
            shutil.copyfileobj(stream, file)
    except (*ZIP_ERRORS, RemoteZipError) as error:
        raise TemporaryFailure(f"{video.filename} arrived damaged ({error})") from error


def open_remote(session: Session, url: str) -> RemoteZip:
    """Open the ZIP at `url`. Raises RangeNotSupported, TemporaryFailure, or MirrorError if it is no ZIP."""
    try:
        with translated_errors(url):
            return RemoteZip(url, initial_buffer_size=DIRECTORY_SIZE, session=session)
    except RangeNotSupported:
        raise
    except RemoteIOError as error:
        raise RangeNotSupported(str(error)) from error
    except (*ZIP_ERRORS, RemoteZipError) as error:
        raise MirrorError(f"is not a whole ZIP archive ({error})") from error


def part_path(folder: Path, video: zipfile.ZipInfo) -> Path:
    """Return where a fetched video waits for the others; the name changes if the archive does."""
    return folder / f"{video.header_offset:x}-{video.CRC:08x}-{video.file_size:x}"
