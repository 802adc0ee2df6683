"""Snakemake's notes on a folder, `.snakemake`: what this workflow has it do otherwise.

Read in Snakemake 9.27: a run removes the locks of all others when it ends, two that start at the same moment may both
find the folder unlocked, and a dry run makes folders, writes files and stops where it would not be allowed to.
"""

import fcntl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from snakemake.persistence.file import FilePersistence

NOTES = Path(".snakemake")
WRITTEN_BY_A_DRY_RUN = "iocache"


def use_own_notes(only_looks: bool) -> None:
    """Have this process of Snakemake keep its notes in the way below; one that `only_looks` writes nothing."""
    sys.modules["snakemake.workflow"].FilePersistence = LookedAtNotes if only_looks else OwnNotes
    if only_looks:
        sys.modules["snakemake.jobs"].Job.check_protected_output = _need_not_write


async def _need_not_write(_job: object) -> None:
    """Let a job be listed whose outputs may not be written: it does not run."""


class OwnNotes(FilePersistence):
    """Notes of a run that removes no locks but its own, and looks for those of others while no other run starts."""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold Snakemake's locks. Raises LockException if a living run makes or reads the same files."""
        with ExitStack() as held:
            with (self.path / "start.lock").open("a+") as file:
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(file, fcntl.LOCK_EX)
                held.enter_context(super().lock())
            yield

    def _delete_locks(self) -> None:
        for file in self._lockfile.values():
            Path(file).unlink(missing_ok=True)
        self._lockfile.clear()


class LookedAtNotes(FilePersistence):
    """Notes that are read where they are, through links in a folder for this process, which is all that is written."""

    def __init__(self, **arguments):
        self._links = tempfile.TemporaryDirectory(prefix="snakemake-")
        for entry in NOTES.iterdir() if NOTES.is_dir() else ():
            if entry.name != WRITTEN_BY_A_DRY_RUN:
                Path(self._links.name, entry.name).symlink_to(entry.absolute())
        super().__init__(**arguments | {"path": Path(self._links.name)})

    def _delete_locks(self) -> None:
        """Leave the locks, also if `--unlock` is tried."""
