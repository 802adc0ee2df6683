"""A real HTTP server on 127.0.0.1 that misbehaves as told."""

import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Fault:
    """What goes wrong with one answer."""

    status: int = 0  # answer with this status and no content
    headers: dict[str, str] = field(default_factory=dict)  # besides, or instead of, the usual ones
    cut: int | None = None  # close the connection after so many bytes of the body
    stall: float = 0  # seconds without a byte, after `cut` bytes
    damage: bool = False  # flip the bits of the last byte
    then: bytes | None = None  # from the next answer on, the file has this content


@dataclass
class Served:
    """A file on the server."""

    content: bytes
    ranges: bool = True
    version: str = '"1"'  # ETag; empty: none
    length: int | None = None  # what Content-Length claims; -1: chunked, without a length
    largest_range: int = 1 << 40  # bytes in one answer to a request with a range
    pace: float = 0  # seconds of pause after each 64 KiB
    faults: list[Fault] = field(default_factory=list)  # one for each answer, in order
    requests: list[dict[str, str]] = field(default_factory=list)  # headers of each request so far
    sent: int = 0  # bytes of bodies so far


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        served = self.server.files.get(self.path)
        if served is None:
            self.answer(404, {}, b"")
            return
        served.requests.append(dict(self.headers))
        fault = served.faults.pop(0) if served.faults else Fault()
        if fault.status:
            self.answer(fault.status, fault.headers, b"")
            return
        status, headers, body = self.part(served)
        if fault.damage:
            body = body[:-1] + bytes([body[-1] ^ 255])
        if served.length == -1:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body) if served.length is None else served.length)
        self.send(status, headers | fault.headers, served, body, fault)
        if fault.then is not None:
            served.content = fault.then
            served.version = served.version and '"changed"'

    def part(self, served: Served) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content by RFC 9110: the range asked for, if it may be."""
        size = len(served.content)
        headers = {"ETag": served.version} if served.version else {}
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not (match and served.ranges) or self.headers.get("If-Range", served.version) != served.version:
            return 200, headers, served.content
        first, last = match.groups()
        start = int(first) if first else max(0, size - int(last))
        stop = min(size, start + served.largest_range, int(last) + 1 if first and last else size)
        if start >= size:
            return 416, headers | {"Content-Range": f"bytes */{size}"}, b""
        return 206, headers | {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}, served.content[start:stop]

    def send(self, status: int, headers: dict[str, str], served: Served, body: bytes, fault: Fault) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        chunked = served.length == -1
        body = body if fault.cut is None else body[: fault.cut]
        for start in range(0, len(body), 1 << 16):
            block = body[start : start + (1 << 16)]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
            served.sent += len(block)
            time.sleep(served.pace)
        if fault.stall:
            time.sleep(fault.stall)
        if fault.cut is not None or served.length not in (None, -1):
            self.close_connection = True
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves `files`, by their path in the URL."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, certificate: Path | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"

    def handle_error(self, *arguments) -> None:
        """Clients that hang up are nothing to tell of."""

    def serve(self, name: str, content: bytes, **how) -> tuple[str, Served]:
        """Offer `content`; return its URL and what is known about it."""
        served = self.files[f"/{name}"] = Served(content, **how)
        return self.url(name), served

    def url(self, name: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}/{name}"


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Server]:
    """A server in a thread of its own."""
    with Server(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def make_certificate(path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that no authority has signed."""
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {path.name} -out certificate.pem",
        shell=True,
        cwd=path.parent,
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (path.parent / "certificate.pem").read_text())
    return path
