"""Read files of weights, each in a process of its own that may use as much memory and time as the file deserves.

As a program: `python -c "from helpers.limited_reading import main; main()" FILE…` prints a line of JSON for each file.
"""

import json
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path

from video3d.common.errors import UserError
from video3d.weights.import_weights import load_any

LEAST = 64 << 20
SECONDS = 10  # of computing: others may be at work on the machine


def memory(what: str) -> int:
    """Bytes of this process: VmSize (reserved), VmRSS (in use), VmHWM (in use at most)."""
    return int(re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10


def limit_memory(more: int | None) -> None:
    """Let this process take so many bytes more than now; None: as many as it likes."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard if more is None else memory("VmSize") + more, hard))


def read(path: Path) -> dict:
    """What became of reading within the limits, the megabytes and the seconds of computing that it took."""
    limit_memory(max(LEAST, 3 * path.stat().st_size))
    start = time.process_time()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(start) + 1 + SECONDS, hard))
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM counts from here
    before = memory("VmRSS")
    try:
        load_any(path)
        verdict = "read"
    except UserError as error:
        verdict = "out of memory" if isinstance(error.__cause__, MemoryError) else str(error)
    seconds = time.process_time() - start
    return {"verdict": verdict, "megabytes": (memory("VmHWM") - before) / 2**20, "seconds": seconds}


def read_in_child(path: Path) -> dict:
    """The same in a child process; if a signal ends it, the verdict names it."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(sending, json.dumps(read(path)).encode()[:4000])
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"verdict": signal.Signals(os.WTERMSIG(status)).name}
    return json.loads(answer) if answer else {"verdict": "traceback"}


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        print(json.dumps({"name": path.name} | read_in_child(path)), flush=True)
