"""Hold the folder of a run while it lasts, and clear away what a killed run left, so that nobody has to `--unlock`.

Every run holds a shared lock on one file. Whoever gets the lock for itself alone knows that no run lives here: then
Snakemake's locks, which are mere files, are those of runs that were killed. The kernel keeps the lock and releases it
however the process ends. It is bound to the file and to no host name or process number, so runs in two containers see
each other's; a network file system passes it on to its server, and so to other machines.
"""

import contextlib
import fcntl
import tempfile
from pathlib import Path
from typing import TextIO

from video3d.common.disk import disk_faults_are_errors, require_space
from video3d.common.errors import UserError
from video3d.common.file_lock import try_lock
from video3d.common.files import remove_abandoned

LOCK = Path(".snakemake/run.lock")
LOCKS_OF_SNAKEMAKE = Path(".snakemake/locks")
WRITTEN_BY_JOBS = (Path("resources"), Path("data"), Path("results"))
BYTES_FOR_NOTES = 1_000_000  # about what a run of all classes notes down, and no more than any disk should have free
_held: list[TextIO] = []  # open files: a lock lives as long as its file is open


def hold_folder(unlock: bool = False) -> None:
    """Lock the current folder until this process ends; if no other run holds it, remove what killed runs left in it.

    That is Snakemake's locks, and what jobs had half written. Where it cannot be known, as on a file system without
    locks, nothing is removed. Raises UserError if the folder cannot be written, or if `unlock` is asked for while
    another run holds it.
    """
    with disk_faults_are_errors(LOCK):
        LOCK.parent.mkdir(exist_ok=True)
        file = LOCK.open("a+")  # to read and to write: NFS asks the one of shared locks, the other of exclusive ones
    for folder in (LOCK.parent, Path(tempfile.gettempdir())):
        require_space(folder, BYTES_FOR_NOTES, "Snakemake")
    _held.append(file)
    with contextlib.suppress(OSError):
        if try_lock(file):
            for path in LOCKS_OF_SNAKEMAKE.glob("*.lock"):
                path.unlink(missing_ok=True)
            for top in WRITTEN_BY_JOBS:
                remove_abandoned(top)
        elif unlock:
            raise UserError(
                f"another call of Snakemake works in {Path.cwd()}, here or on another machine, and its locks are not "
                "removed; wait for it, or end it with Ctrl-C: nobody has to unlock what a run has left"
            )
        fcntl.flock(file, fcntl.LOCK_SH)
