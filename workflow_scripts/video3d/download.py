"""Fetch a file over HTTP so that it arrives whole or not at all: resumed, retried, checked against a pinned SHA-256."""

import errno
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from video3d.archives import require_space
from video3d.console import UserError, progress
from video3d.files import sha256
from video3d.sources import Source

BLOCK = 1 << 18
TIMEOUT = 30  # seconds without an answer or without a byte
ATTEMPTS = 8  # in a row that bring nothing
LONGEST_PAUSE = 60  # seconds; the first pause is FIRST_PAUSE, each further one is twice as long
FIRST_PAUSE = 1
PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}


class MirrorError(Exception):
    """This mirror is of no use; its text says why."""


class Interruption(Exception):
    """An attempt failed in a way that may pass; `pause` is what the server asks for, in seconds."""

    def __init__(self, reason: str, pause: float = 0):
        super().__init__(reason)
        self.pause = pause


def obtain(source: Source, checksum: str | None, output: Path, setting: str = "dataset.videos") -> None:
    """Put the archive that `source` tells of at `output`: download it, or link to it if it is a local file.

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


def download(urls: Sequence[str], checksum: str | None, output: Path, setting: str = "dataset.videos") -> None:
    """Download one file from the first of its mirrors `urls` that serves it whole.

    It grows as `<output>.part`, which a later call continues, and gets its name once its SHA-256 is right.
    Raises UserError that gives the reason for each mirror.
    """
    checksum = require_checksum(urls[0], checksum, setting)
    reasons = []
    with open_session() as session:
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

    def __init__(self, session: requests.Session, url: str, output: Path):
        self.session = session
        self.url = url
        self.output = output
        self.part = output.with_name(f"{output.name}.part")
        self.notes = output.with_name(f"{output.name}.part.json")  # url and version of what is in `part`

    def run(self, checksum: str) -> None:
        """Make `output` a file of this SHA-256. Raises MirrorError if this mirror does not bring it."""
        pieced = self.size() > 0
        pieced |= self.fetch()
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
            """One request. True: complete, False: some bytes further. Raises Interruption if it brought nothing."""
            nonlocal farthest, requests_made
            requests_made += 1
            try:
                self.request()
                return True
            except Interruption as interruption:
                if self.size() <= farthest:
                    raise
                farthest = self.size()
                logging.warning("%s: %s at byte %d, resuming", self.url, interruption, farthest)
                return False

        while not patiently(advance, self.url):
            pass
        return requests_made > 1

    def request(self) -> None:
        """Append what the server sends after the end of `part`."""
        offset = self.size()
        with self.answer(offset) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if _total(response) == offset:
                    return
                self.discard()
                raise Interruption("the server has a shorter file than what has arrived, starting over")
            if response.status_code == requests.codes.partial_content:
                if _start(response) != offset:
                    raise MirrorError(f"answers with another range than asked for: {_range(response)}")
            else:
                if offset:
                    logging.warning("%s: does not resume, starting over at byte 0", self.url)
                offset = 0
            length = response.headers.get("Content-Length", "")
            total = offset + int(length) if length.isdecimal() else None
            self.check_space(total)
            if offset == 0:
                self.discard()
                self.remember(response)
            with no_space_is_an_error(self.output):
                self.append(response, offset, total)
        if total is not None and self.size() != total:
            raise Interruption(f"connection cut, {self.size():,} of {total:,} bytes have arrived")

    @contextmanager
    def answer(self, offset: int) -> Iterator[requests.Response]:
        """Ask for the file from byte `offset` on; if its version is known, only if it is still the same."""
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if version := self.version():
                headers["If-Range"] = version
        with (
            translated_errors(self.url),
            self.session.get(self.url, headers=headers, stream=True, timeout=TIMEOUT) as response,
        ):
            check_status(response, accepted={requests.codes.requested_range_not_satisfiable})
            yield response

    def append(self, response: requests.Response, offset: int, total: int | None) -> None:
        """Write the body to the end of `part`, with progress."""
        with (
            self.part.open("ab") as file,
            progress(total=total, unit="B", unit_scale=True, description=self.output.name) as bar,
        ):
            bar.initial = bar.n = offset
            for block in response.raw.stream(BLOCK, decode_content=False):
                file.write(block)
                bar.update(len(block))

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
        """Bytes that have arrived."""
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
        """The version noted for `part`, empty if unknown or from another mirror."""
        try:
            notes = json.loads(self.notes.read_text())
        except (OSError, ValueError):
            return ""
        return notes["version"] if notes["url"] == self.url else ""


class Session(requests.Session):
    """Verifies certificates, and does not follow a redirection from https to http."""

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """The address to follow."""
        target = super().get_redirect_target(response)
        if target and response.url.startswith("https:") and urlsplit(target).scheme == "http":
            raise MirrorError(f"redirects to an address without TLS, {target}")
        return target


def open_session() -> requests.Session:
    """A session for all requests."""
    session = Session()
    session.headers["User-Agent"] = "video3d"
    return session


def patiently(attempt: Callable[[], bool], url: str) -> bool:
    """Call `attempt` until it raises no Interruption, pausing longer each time; MirrorError after `ATTEMPTS` calls."""

    def pause(state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_exponential_jitter(FIRST_PAUSE, LONGEST_PAUSE, jitter=FIRST_PAUSE / 2)(state)
        return max(backoff, min(state.outcome.exception().pause, LONGEST_PAUSE))

    def announce(state: tenacity.RetryCallState) -> None:
        reason = state.outcome.exception()
        logging.warning("%s: %s; attempt %d in %.0f s", url, reason, state.attempt_number + 1, state.next_action.sleep)

    def give_up(state: tenacity.RetryCallState) -> bool:
        raise MirrorError(f"gave up after {state.attempt_number} attempts: {state.outcome.exception()}")

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Interruption),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=pause,
        before_sleep=announce,
        retry_error_callback=give_up,
    )(attempt)


@contextmanager
def translated_errors(url: str) -> Iterator[None]:
    """Turn the errors of requests and urllib3 into Interruption if trying again may help, else into MirrorError."""
    try:
        yield
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise Interruption(f"TLS connection broken ({error})") from error
        raise MirrorError(certificate_advice(url, error)) from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        raise Interruption(f"no connection ({_cause(error)})") from error
    except urllib3.exceptions.HTTPError as error:
        raise Interruption(f"connection cut ({_cause(error)})") from error
    except requests.exceptions.RequestException as error:
        raise MirrorError(str(error)) from error


def check_status(response: requests.Response, accepted: frozenset[int] | set[int] = frozenset()) -> None:
    """Raise Interruption for a status that may pass, MirrorError for any other that is neither good nor `accepted`."""
    if response.ok or response.status_code in accepted:
        return
    reason = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in PASSING_STATUS:
        pause = response.headers.get("Retry-After", "")
        raise Interruption(reason, float(pause) if pause.isdecimal() else 0)
    raise MirrorError(reason)


def certificate_advice(url: str, error: Exception) -> str:
    """What a failed verification means and what can be done about it."""
    detail = re.search(r"certificate verify failed: ([^(]+)", str(error))
    reason = detail[1].strip() if detail else error
    return (
        f"the certificate of {urlsplit(url).hostname} could not be verified ({reason}). "
        "The server may send an incomplete chain, as that of the University of Central Florida is known to do, or "
        "someone may listen in. Verification stays on. Name another mirror, or fetch the file with a browser and give "
        "its path: its SHA-256 is checked all the same. An authority of your own network goes into REQUESTS_CA_BUNDLE"
    )


@contextmanager
def no_space_is_an_error(output: Path) -> Iterator[None]:
    """Turn a full disk into UserError."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise UserError(
            f"the disk of {os.fspath(output.parent.absolute())} is full; free some space and run the same command "
            "again, it continues where it stopped"
        ) from error


def _range(response: requests.Response) -> str:
    return response.headers.get("Content-Range", "")


def _start(response: requests.Response) -> int | None:
    match = re.match(r"bytes (\d+)-", _range(response))
    return int(match[1]) if match else None


def _total(response: requests.Response) -> int | None:
    match = re.search(r"/(\d+)$", _range(response))
    return int(match[1]) if match else None


def _cause(error: BaseException) -> str:
    """The innermost reason of an error of requests, in a few words."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    return str(reason or error)
