"""Lock files in the kernel, which releases a lock when the process that has it ends, however it ends."""

import fcntl
from typing import TextIO


def try_lock(file: TextIO) -> bool:
    """Lock an open file for this process alone, until it is closed; return whether no other process had a lock on it.

    Raises OSError where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
