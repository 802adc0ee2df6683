"""Python that has imported the libraries already, which takes longer than all that the tiny project computes.

`run_snakemake` asks a server, which is this file run as a program, for a fork of itself. The fork goes on as
`python -m snakemake` would. Its jobs say `python <script>` and find a launcher of that name, which asks another server
for a fork that runs the script, with the launcher's arguments, folder, environment and open files. The project's own
code is imported by each fork, from the copy at hand. What it sets before NumPy, tests/conftest.py has set already.

Signals do not come through. Tests of those start real processes (`Workflow.command`), as the demo and Slurm do.
"""

import atexit
import contextlib
import gc
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from helpers import fork_client
from helpers.paths import PROJECT

TIMEOUT = 900  # seconds; a busy machine may take several minutes for the whole workflow
FOR_SNAKEMAKE = "snakemake.report.html_reporter", "psutil", "pydantic", "smart_open", "pandas"
FOR_SCRIPTS = (
    *("paddle", "pandas", "scipy.stats", "cv2", "simplejpeg", "imageio_ffmpeg", "requests", "remotezip", "pydantic"),
    *("altair", "vl_convert", "docutils.core", "jinja2", "safetensors.numpy", "tqdm"),
)
LAUNCHER = """\
#!/bin/sh
case "$1" in *.py) exec {python} -IS {client} {address} "$@" ;; esac
exec {python} "$@"
"""


class Server(NamedTuple):
    """Where it is asked, and its process, which ends when its standard input does."""

    address: str
    process: subprocess.Popen


def run_snakemake(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess:
    """Run Snakemake in `folder`, with everything that it prints in `.stdout`. Raises TimeoutExpired."""
    server, python = _server(FOR_SNAKEMAKE), str(launcher())
    with tempfile.NamedTemporaryFile("r", errors="replace") as output:
        files = [os.open(os.devnull, os.O_RDONLY), os.open(output.name, os.O_WRONLY)]
        try:
            code = fork_client.ask(
                *(server.address, str(folder), [python, "-m", "snakemake", *arguments], dict(os.environ)),
                *([*files, files[1]], TIMEOUT),
            )
        except TimeoutError:
            os.killpg(server.process.pid, signal.SIGKILL)  # and what it forked
            _server.cache_clear()
            raise subprocess.TimeoutExpired(arguments, TIMEOUT, output.read()) from None
        finally:
            for file in files:
                os.close(file)
        return subprocess.CompletedProcess(arguments, code, output.read())


def dry_snakemake() -> str:
    """The line of a shell script that becomes a dry run of Snakemake with the script's arguments."""
    client = [sys.executable, "-IS", fork_client.__file__, _server(FOR_SNAKEMAKE).address, "-m", "snakemake"]
    return f'exec {shlex.join(client)} "$@" --dry-run'


@cache
def launcher() -> Path:
    """The program that jobs find as `python`."""
    server = _server(FOR_SCRIPTS)
    program = Path(server.address).parent / "python"
    places = {"python": sys.executable, "client": fork_client.__file__, "address": server.address}
    program.write_text(LAUNCHER.format(**{name: shlex.quote(place) for name, place in places.items()}))
    program.chmod(0o755)
    return program


@cache
def _server(libraries: Sequence[str]) -> Server:
    """The server of this process of pytest that has imported these libraries."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    address = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.prepared_python", str(listener.fileno()), *libraries],
            cwd=PROJECT / "tests",
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
    atexit.register(process.communicate)
    return Server(address, process)


def serve(listener: socket.socket) -> dict:
    """Fork for each request and answer with the exit code; return the request in the fork that is to fulfil it."""
    running = {}
    while True:
        ready = select.select([listener, sys.stdin, *running], [], [])[0]
        if sys.stdin in ready:
            os.killpg(0, signal.SIGTERM)  # with all forks, if the tests were interrupted
        for ended in running.keys() & ready:
            fork, connection = running.pop(ended)
            os.close(ended)
            with connection, contextlib.suppress(BrokenPipeError):  # whoever asked may have been killed
                connection.sendall(str(os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])).encode())
        if listener in ready:
            connection, _ = listener.accept()
            request = fork_client.receive(connection)
            fork = os.fork()
            if fork == 0:
                return request
            running[os.pidfd_open(fork)] = fork, connection
            for file in request["files"]:
                os.close(file)


def become(folder: str, command: list[str], environment: dict[str, str], files: list[int]) -> None:
    """Go on as if started in `folder` with this command: `<python> -m <module> …` or `<python> <file> …`."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable, *arguments = command
    if arguments[0] == "-m":
        sys.path.insert(0, folder)
        sys.argv = arguments[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
        sys.argv = arguments
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    del sys.path[0]  # the folder of the tests
    for library in sys.argv[2:]:
        __import__(library)
    gc.freeze()  # so that forks share the memory of all this
    become(**serve(socket.socket(fileno=int(sys.argv[1]))))
