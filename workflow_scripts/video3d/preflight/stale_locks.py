"""Tell the locks of a killed run from those of a living one, so that nobody has to call `snakemake --unlock`.

A run writes down which process it is, in a file `.snakemake/owners/<host>-<process>.json` that holds the host, the
number of the process and when it was started.
"""

import json
import os
import socket
from pathlib import Path

import psutil

OWNERS = Path(".snakemake/owners")


def claim_folder() -> None:
    """Write down that this process runs in the current folder."""
    OWNERS.mkdir(exist_ok=True)
    owner = OWNERS / f"{socket.gethostname()}-{os.getpid()}.json"
    owner.write_text(json.dumps([socket.gethostname(), os.getpid(), psutil.Process().create_time()]))


def release_stale_locks() -> None:
    """Remove the locks of runs that were killed on this machine; with one run alive, or elsewhere, all locks stay."""
    owners = list(OWNERS.glob("*.json"))
    if owners and not any(may_be_running(*json.loads(owner.read_text())) for owner in owners):
        for path in [*Path(".snakemake/locks").glob("*.lock"), *owners]:
            path.unlink(missing_ok=True)


def may_be_running(host: str, process: int, created: float) -> bool:
    """Return whether this process lives, or is on another machine, where nobody here can look.

    `created` is when it was started, in seconds since 1970: process ids are used again.
    """
    try:
        return host != socket.gethostname() or psutil.Process(process).create_time() == created
    except psutil.NoSuchProcess:
        return False
