"""One training at a time writes the checkpoints in a folder.

A run that was killed may leave a training behind that computes on, on a cluster for hours. The next run starts the same
training again: it waits for the first one, and goes on from the checkpoint that is there when that one has ended.
Jobs of Snakemake wait before that, see video3d.common.job; this lock also holds for trainings that are called by hand.
"""

import fcntl
import logging
from pathlib import Path
from typing import TextIO

from video3d.common.file_lock import try_lock
from video3d.common.files import remove_abandoned

_held: list[TextIO] = []  # open files: a lock lives as long as its file is open


def hold_checkpoints(folder: Path) -> None:
    """Lock the folder of checkpoints until this process ends; wait while another process holds it.

    What killed trainings left half-written in it is removed. On a file system without locks nothing is held.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a+")  # a network file system wants it to be writable
    _held.append(file)
    try:
        if not try_lock(file):
            logging.info("waiting for another process that trains in %s", folder)
            fcntl.flock(file, fcntl.LOCK_EX)
            logging.info("the other process has ended")
        remove_abandoned(folder)
    except OSError as error:
        logging.warning("%s cannot be locked (%s): see to it that nothing else trains in it", folder, error.strerror)
