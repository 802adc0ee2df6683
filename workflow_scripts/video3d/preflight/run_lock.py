"""Hold the folder of a run while it lasts, and clear away what a killed run left, so that nobody has to `--unlock`.

Every run holds a shared lock on one file. Whoever gets the lock for itself alone knows that no run lives here: then
Snakemake's locks, which are mere files, are those of runs that were killed. The kernel keeps the lock and releases it
however the process ends. It is bound to the file and to no host name or process number, so runs in two containers see
each other's; a network file system passes it on to its server, and so to other machines.
"""

import contextlib
import fcntl
from pathlib import Path
from typing import TextIO

from video3d.common.file_lock import try_lock

LOCK = Path(".snakemake/run.lock")
LEFTOVERS = Path(".snakemake/locks")
_held: list[TextIO] = []  # open files: a lock lives as long as its file is open


def hold_folder() -> None:
    """Lock the current folder until this process ends; if no other run holds it, remove what killed runs left in it.

    Where that cannot be known, as on a file system without locks or in a read-only folder, nothing is removed.
    """
    with contextlib.suppress(OSError):
        LOCK.parent.mkdir(exist_ok=True)
        file = LOCK.open("a+")  # to read and to write: NFS asks the one of shared locks, the other of exclusive ones
        _held.append(file)
        if try_lock(file):
            for path in LEFTOVERS.glob("*.lock"):
                path.unlink(missing_ok=True)
        fcntl.flock(file, fcntl.LOCK_SH)
