"""A script as a job of a run of Snakemake: it ends with the run, and no two processes do the same job at a time.

The run holds one end of a pipe, and its jobs inherit the other. The kernel closes the run's end when the run dies,
however it dies, and Python writes to it when the run is told to end by a signal. Jobs wait until one of the two has
happened. They read nothing, so that all of them see it.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import select
import signal
import threading
import time
from pathlib import Path
from typing import TextIO

from video3d.common.file_lock import try_lock

RUN = "VIDEO3D_RUN"  # the inherited end of the pipe: its number, and the inode of the pipe
LOG = "VIDEO3D_LOG"  # the log of the job, by which it is known; logged.sh sets it
SECONDS_BETWEEN_SIGNALS = 1.0
LOCKS = Path(".snakemake/jobs")
_held: list[TextIO] = []  # open files: a lock lives as long as its file is open


def tell_jobs_of_the_end() -> int:
    """Open the pipe in the process of Snakemake; return the end that its jobs must inherit.

    What Python has a handler for is written to the pipe: SIGINT always, SIGTERM while jobs run.
    """
    jobs_end, own_end = os.pipe()
    os.set_blocking(own_end, False)
    with contextlib.suppress(ValueError):  # not in the main thread: then the end of the process has to do
        signal.set_wakeup_fd(own_end, warn_on_full_buffer=False)
    os.environ[RUN] = f"{jobs_end} {os.fstat(jobs_end).st_ino}"
    return jobs_end


def join_run() -> None:
    """Make this process end with the run that it is a job of, and wait while another process does the same job.

    A script that is called by hand belongs to no run. Its own children do not either: they end with it.
    """
    if run := os.environ.pop(RUN, None):
        threading.Thread(target=_end_with_run, args=tuple(map(int, run.split())), daemon=True).start()
    if log := os.environ.pop(LOG, None):
        hold_job(log)


def hold_job(log: str) -> None:
    """Lock the job that writes this log until the process ends; wait while another process holds it.

    A run that was killed may leave a job behind on another machine of a cluster. On a file system without locks nothing
    is held.
    """
    with contextlib.suppress(OSError):
        LOCKS.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(log.encode()).hexdigest()[:16]
        file = (LOCKS / name).open("a+")  # a network file system wants it to be writable
        _held.append(file)
        if not try_lock(file):
            logging.info("waiting for another process that does the same job")
            fcntl.flock(file, fcntl.LOCK_EX)
            logging.info("the other process has ended")


def _end_with_run(end: int, inode: int) -> None:
    try:
        if os.fstat(end).st_ino != inode:
            return
    except OSError:
        return  # what starts programs in a container may close their files
    select.select([end], [], [])
    while True:  # it may come when signals are ignored, as while processes start
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
        time.sleep(SECONDS_BETWEEN_SIGNALS)
