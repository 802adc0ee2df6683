"""Snakemake in a process that has imported it already: importing takes longer than a dry run of the tiny project.

`run_snakemake` asks a server, which is this file run as a program, for a fork of itself. The fork goes on as
`python -m snakemake` would, in a folder, with arguments and an environment of its own.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

TIMEOUT = 900  # seconds; a busy machine may take several minutes for the whole workflow


def run_snakemake(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess:
    """Run Snakemake in `folder`, with everything that it prints in `.stdout`. Raises TimeoutExpired."""
    server = _server()
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as output:
        request = {
            "folder": str(folder),
            "arguments": arguments,
            "environment": dict(os.environ),
            "output": output.name,
        }
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        if not select.select([server.stdout], [], [], TIMEOUT)[0]:
            os.killpg(server.pid, signal.SIGKILL)  # and what it forked
            _server.cache_clear()
            raise subprocess.TimeoutExpired(arguments, TIMEOUT, output.read())
        return subprocess.CompletedProcess(arguments, int(server.stdout.readline()), output.read())


@cache
def _server() -> subprocess.Popen:
    """The server of this process of pytest; it ends when its standard input does."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    server = subprocess.Popen([sys.executable, __file__], start_new_session=True, **pipes)
    atexit.register(server.communicate)
    return server


def serve() -> None:
    """Fork for each request and answer with the exit code; return in the fork, which is then to run Snakemake."""
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            become(**json.loads(line))
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    sys.exit()


def become(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    """Make this process one that was started in `folder` with these arguments, and prints to the file `output`."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, target in ((0, os.open(os.devnull, os.O_RDONLY)), (1, os.open(output, os.O_WRONLY)), (2, 1)):
        os.dup2(target, stream)
    sys.argv[1:] = arguments
    sys.path.insert(0, folder)


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file; `python -m` has the current folder there
    # What a dry run imports and what is not of the project, whose copies have their own code.
    import psutil  # noqa: F401
    import pydantic  # noqa: F401
    import smart_open  # noqa: F401
    import snakemake.report.html_reporter  # noqa: F401
    from snakemake.cli import main

    serve()
    main()
