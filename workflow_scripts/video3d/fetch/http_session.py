"""Requests to servers that may be slow, overloaded, cut off, broken or not who they claim to be."""

import errno
import http.client
import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

Result = TypeVar("Result")
TIMEOUT = 30  # seconds without an answer or without a byte
ATTEMPTS = 8  # in a row that bring nothing
ATTEMPTS_WITHOUT_NETWORK = 3  # before the first answer; a machine that has no network is told so within seconds
LONGEST_PAUSE = 60  # seconds; the first pause is FIRST_PAUSE, each further one is twice as long
FIRST_PAUSE = 1
PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}


class MirrorError(Exception):
    """This mirror is of no use; its text says why."""


class TemporaryFailure(Exception):
    """An attempt failed in a way that may pass; `pause` is what the server asks for, in seconds."""

    def __init__(self, reason: str, pause: float = 0):
        super().__init__(reason)
        self.pause = pause


class NoNetwork(TemporaryFailure):
    """The name of the server is not known here, or no way leads to it."""


class Session(requests.Session):
    """Verifies certificates, follows no redirection from https to http, and raises TemporaryFailure or MirrorError."""

    def __init__(self):
        super().__init__()
        self.answered = False  # by any server: then a network that is gone may come back
        self.headers.update({"User-Agent": "video3d", "Accept-Encoding": "identity"})

    def request(self, method: str, url: str, **options) -> requests.Response:
        """Send a request; return the answer if its status is good, or 416 (the range asked for is empty)."""
        try:
            with translated_errors(url):
                response = super().request(method, url, **{"timeout": TIMEOUT} | options)
        except NoNetwork as failure:
            if self.answered:
                raise TemporaryFailure(str(failure)) from failure
            raise
        self.answered = True
        if not response.ok and response.status_code != requests.codes.requested_range_not_satisfiable:
            reason = f"HTTP {response.status_code} {response.reason}"
            pause = response.headers.get("Retry-After", "")
            response.close()
            if response.status_code not in PASSING_STATUS:
                raise MirrorError(reason)
            raise TemporaryFailure(reason, float(pause) if pause.isdecimal() else 0)
        return response

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """Return the address that `response` redirects to. Raises MirrorError if that leaves TLS."""
        target = super().get_redirect_target(response)
        if target and response.url.startswith("https:") and urlsplit(target).scheme == "http":
            raise MirrorError(f"redirects to an address without TLS, {target}")
        return target


def retry(attempt: Callable[[], Result], url: str) -> Result:
    """Call `attempt` until it raises no TemporaryFailure, and return its result; pause longer after each failure.

    Raises MirrorError after `ATTEMPTS` failures in a row, or `ATTEMPTS_WITHOUT_NETWORK` if the last is NoNetwork.
    """

    def without_network(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= ATTEMPTS_WITHOUT_NETWORK and isinstance(state.outcome.exception(), NoNetwork)

    def pause(state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_exponential(FIRST_PAUSE, LONGEST_PAUSE)(state)
        return max(backoff, min(state.outcome.exception().pause, LONGEST_PAUSE))

    def announce(state: tenacity.RetryCallState) -> None:
        reason = state.outcome.exception()
        logging.warning("%s: %s; attempt %d in %.0f s", url, reason, state.attempt_number + 1, state.next_action.sleep)

    def give_up(state: tenacity.RetryCallState) -> Result:
        raise MirrorError(f"gave up after {state.attempt_number} attempts: {state.outcome.exception()}")

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TemporaryFailure),
        stop=tenacity.stop_any(tenacity.stop_after_attempt(ATTEMPTS), without_network),
        wait=pause,
        before_sleep=announce,
        retry_error_callback=give_up,
    )(attempt)


@contextmanager
def translated_errors(url: str) -> Iterator[None]:
    """Turn the errors of requests and urllib3 into TemporaryFailure if trying again may help, else into MirrorError."""
    try:
        yield
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise TemporaryFailure(f"TLS connection broken ({error})") from error
        raise MirrorError(certificate_advice(url, error)) from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        failure = NoNetwork if _unreachable(error) else TemporaryFailure
        raise failure(f"no connection ({_text(_cause(error))})") from error
    except urllib3.exceptions.HTTPError as error:
        raise TemporaryFailure(f"connection cut ({_text(_cause(error))})") from error
    except requests.exceptions.RequestException as error:
        raise MirrorError(str(error)) from error


def certificate_advice(url: str, error: Exception) -> str:
    """Return what a failed verification means and what can be done about it, in words."""
    detail = re.search(r"certificate verify failed: ([^(]+)", str(error))
    reason = detail[1].strip() if detail else error
    return (
        f"the certificate of {urlsplit(url).hostname} could not be verified ({reason}). "
        "The server may send an incomplete chain, as that of the University of Central Florida is known to do, or "
        "someone may listen in. Verification stays on. Name another mirror, or fetch the file with a browser and give "
        "its path: its SHA-256 is checked all the same. An authority of your own network goes into REQUESTS_CA_BUNDLE"
    )


def _unreachable(error: BaseException) -> bool:
    """Return whether an error of requests says that this machine finds no way to the server at all."""
    cause = _cause(error)
    no_way = isinstance(cause, OSError) and cause.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}
    return no_way or isinstance(cause, socket.gaierror)


def _cause(error: BaseException) -> BaseException:
    """Return the innermost reason of an error of requests or urllib3."""
    while inner := next((part for part in (*error.args, error.__context__) if isinstance(part, Exception)), None):
        error = inner
    return error


def _text(error: BaseException) -> str:
    """Return the reason of an error of requests or urllib3 in a few words."""
    if isinstance(error, http.client.IncompleteRead) and error.expected is not None:
        return f"{error.expected:,} bytes are missing"
    return str(error)
