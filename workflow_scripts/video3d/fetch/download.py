"""Fetch a file over HTTP so that it arrives whole or not at all: resumed, retried, checked against a pinned SHA-256."""

import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from video3d.common.console import progress
from video3d.common.disk import disk_faults_are_errors, require_space
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.fetch.http_session import MirrorError, Session, TemporaryFailure, retry, translated_errors
from video3d.fetch.sources import DataSource

BLOCK = 1 << 18


def fetch_archive(source: DataSource, checksum: str | None, output: Path, setting: str = "dataset.videos") -> None:
    """Make `output` the archive that `source` tells of: download it, or link to it if it is a local file.

    `checksum` is the SHA-256 of the archive; a URL needs one, a local file is checked if there is one.
    Raises UserError that names every mirror tried, and what to do.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    if source.kind == "url":
        download(source.urls, checksum, output, setting)
    elif source.kind == "archive":
        link(Path(source.path), checksum, output, setting)
    else:
        raise UserError(f"{setting}: {source.path} is a folder; there is nothing to download")


def link(archive: Path, checksum: str | None, output: Path, setting: str) -> None:
    """Make `output` a symbolic link to a local archive, whose SHA-256 must be `checksum` if that is given."""
    if not archive.is_file():
        raise UserError(f"{setting}: {archive} does not exist")
    if checksum and (found := sha256(archive)) != checksum:
        raise UserError(f"{archive} has SHA-256 {found}, but {setting}_sha256 is {checksum}; is it another file?")
    if output.exists() and output.samefile(archive):
        return
    output.unlink(missing_ok=True)
    output.symlink_to(archive.resolve())
    logging.info("%s: linked to %s%s", output, archive, "" if checksum else " (no checksum given, none checked)")


def require_checksum(url: str, checksum: str | None, setting: str) -> str:
    """Return `checksum`. Raises UserError if it is missing or no SHA-256: what the network brings must be pinned."""
    if not checksum or not re.fullmatch("[0-9a-f]{64}", checksum):
        raise UserError(
            f"{setting}_sha256 must hold the SHA-256 of {url} (64 hexadecimal digits), not {checksum!r}; "
            "`sha256sum <file>` prints that of a copy you trust"
        )
    return checksum


def download(urls: Sequence[str], checksum: str | None, output: Path, setting: str) -> None:
    """Download one file from the first of its mirrors `urls` that serves it whole.

    It grows as `<output>.part`, which a later call continues, and gets its name once its SHA-256 is right.
    Raises UserError that gives the reason for each mirror.
    """
    checksum = require_checksum(urls[0], checksum, setting)
    reasons = []
    with Session() as session:
        for url in urls:
            try:
                Transfer(session, url, output).run(checksum)
                return
            except MirrorError as error:
                logging.warning("%s: %s", url, error)
                reasons.append(f"  - {url}: {error}")
    raise UserError(
        f"{output.name} could not be downloaded:\n" + "\n".join(reasons) + f"\nRun the same command again to continue "
        f"what has arrived, add a mirror to {setting}, or get the file in another way and put its path there."
    )


class Transfer:
    """The download of one file from one mirror."""

    def __init__(self, session: Session, url: str, output: Path):
        self.session = session
        self.url = url
        self.output = output
        self.part = output.with_name(f"{output.name}.part")
        self.notes = output.with_name(f"{output.name}.part.json")  # url and version of what is in `part`

    def run(self, checksum: str) -> None:
        """Make `output` a file of this SHA-256. Raises MirrorError if this mirror does not bring it."""
        pieced = self.size() > 0
        pieced |= self.fetch()
        logging.info("%s: has arrived, checking its SHA-256", self.output.name)
        found = sha256(self.part)
        if found != checksum and pieced:  # old bytes may be the wrong ones
            logging.warning("%s: the pieces do not fit together (wrong SHA-256), starting over", self.output.name)
            self.discard()
            self.fetch()
            found = sha256(self.part)
        if found != checksum:
            size = self.size()
            self.discard()
            raise MirrorError(f"served {size:,} bytes with SHA-256 {found}, expected {checksum}: another or a bad file")
        self.part.replace(self.output)
        self.notes.unlink(missing_ok=True)
        logging.info("%s: %d bytes from %s, SHA-256 as expected", self.output, self.output.stat().st_size, self.url)

    def fetch(self) -> bool:
        """Request until `part` is complete; return whether that took several answers."""
        farthest, requests_made = self.size(), 0

        def advance() -> bool:
            """Send one request; return whether the file is complete. Raises TemporaryFailure if it brought nothing."""
            nonlocal farthest, requests_made
            requests_made += 1
            try:
                self.request()
                return True
            except TemporaryFailure as failure:
                if self.size() <= farthest:
                    raise
                farthest = self.size()
                logging.warning("%s: %s at byte %d, resuming", self.url, failure, farthest)
                return False

        while not retry(advance, self.url):
            pass
        return requests_made > 1

    def request(self) -> None:
        """Append what the server sends after the end of `part`."""
        offset = self.size()
        with self.answer(offset) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if _total(response, offset) == offset:
                    return
                self.discard()
                raise TemporaryFailure("the server has a shorter file than what has arrived, starting over")
            if response.status_code == requests.codes.partial_content:
                if _start(response) != offset:
                    raise MirrorError(f"answers with another range than asked for: {_range(response)}")
            else:
                if offset:
                    logging.warning("%s: does not resume, starting over at byte 0", self.url)
                offset = 0
            total = _total(response, offset)
            self.check_space(total)
            if offset == 0:
                self.discard()
                self.remember(response)
            with disk_faults_are_errors(self.output):
                self.append(response, offset, total)
        if total is not None and self.size() < total:
            raise TemporaryFailure("the server sent less than the range asked for")

    @contextmanager
    def answer(self, offset: int) -> Iterator[requests.Response]:
        """Ask for the file from byte `offset` on; if its version is known, only if it is still the same."""
        headers = {}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if version := self.version():
                headers["If-Range"] = version
        with self.session.get(self.url, headers=headers, stream=True) as response, translated_errors(self.url):
            yield response

    def append(self, response: requests.Response, offset: int, total: int | None) -> None:
        """Write the body to the end of `part`, with progress."""
        with (
            self.part.open("ab") as file,
            progress(total=total, unit="B", unit_scale=True, description=self.output.name) as bar,
        ):
            bar.initial = bar.n = offset
            while block := response.raw.read1(BLOCK):  # not read(), which would lose an incomplete block
                file.write(block)
                bar.update(len(block))
            file.flush()
            os.fsync(file.fileno())

    def check_space(self, total: int | None) -> None:
        """Raise MirrorError if the announced size does not fit on the disk."""
        if total is None:
            logging.info("%s: does not say how large the file is; disk space is not checked", self.url)
            return
        try:
            require_space(self.output.parent, total - self.size(), f"{self.output.name} ({total:,} bytes)")
        except UserError as error:
            raise MirrorError(str(error)) from error

    def size(self) -> int:
        """Return how many bytes have arrived."""
        return self.part.stat().st_size if self.part.exists() else 0

    def discard(self) -> None:
        """Forget what has arrived."""
        self.part.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def remember(self, response: requests.Response) -> None:
        """Note the version of the file that is about to arrive: a strong ETag, else the date of its last change."""
        tag = response.headers.get("ETag", "")
        version = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
        self.notes.write_text(json.dumps({"url": self.url, "version": version}))

    def version(self) -> str:
        """Return the version noted for `part`; empty if it is unknown or that of another mirror."""
        try:
            notes = json.loads(self.notes.read_text())
        except (OSError, ValueError):
            return ""
        return notes["version"] if notes["url"] == self.url else ""


def _range(response: requests.Response) -> str:
    return response.headers.get("Content-Range", "")


def _start(response: requests.Response) -> int | None:
    match = re.match(r"bytes (\d+)-", _range(response))
    return int(match[1]) if match else None


def _total(response: requests.Response, offset: int) -> int | None:
    """Return how large the file is by an answer that begins at byte `offset`; None if it does not say."""
    if match := re.search(r"/(\d+)$", _range(response)):
        return int(match[1])
    length = response.headers.get("Content-Length", "")
    return offset + int(length) if length.isdecimal() else None
