"""Share the GPUs of a machine between jobs: each job takes free ones by locking a file per GPU.

The system releases the locks when the process ends, however it ends. All jobs of one user meet in one folder. GPUs that
Slurm gave to a job are locked within that job only: it gives none twice, and where it hides the others, every job on a
machine sees its own as number 0.
"""

import getpass
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from video3d.common.errors import UserError
from video3d.common.file_lock import try_lock

SECONDS_BETWEEN_TRIES = 1.0
_held: list[TextIO] = []  # open files: a lock lives as long as its file is open


def visible_gpus(count: int) -> list[str]:
    """Return the names of the `count` GPUs that Paddle sees, in its order: CUDA_VISIBLE_DEVICES, else 0, 1, 2, …"""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if named else [str(index) for index in range(count)]


def lock_gpus(gpus: Sequence[str], count: int, folder: Path | None = None) -> list[int]:
    """Take `count` of the `gpus` for this process until it ends; return their positions in the list.

    Waits while others hold too many of them. Raises UserError if there are not as many.
    """
    if count > len(gpus):
        raise UserError(
            f"train: devices: {count}, but {len(gpus)} GPUs are visible ({', '.join(gpus) or 'none'}); "
            "set it to that number or less, or look at CUDA_VISIBLE_DEVICES"
        )
    folder = folder or Path(tempfile.gettempdir()) / f"video3d-gpus-{getpass.getuser()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = False
    while True:
        taken = {index: file for index, name in enumerate(gpus) if (file := _try_lock(folder / lock_name(name)))}
        chosen = list(taken)[:count]
        for index, file in taken.items():
            if len(chosen) < count or index not in chosen:
                file.close()
        if len(chosen) == count:
            _held.extend(taken[index] for index in chosen)
            return chosen
        if not waiting:
            logging.info("waiting for %d free of the GPUs %s", count, ", ".join(gpus))
            waiting = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def lock_name(gpu: str) -> str:
    """Return the name of the file that is locked for a GPU of this machine, or of the Slurm job that it belongs to."""
    given = os.environ.get("SLURM_STEP_GPUS") or os.environ.get("SLURM_JOB_GPUS")
    return f"gpu-{gpu}-of-slurm-job-{os.environ['SLURM_JOB_ID']}" if given else f"gpu-{gpu}"


def _try_lock(path: Path) -> TextIO | None:
    file = path.open("w")
    if try_lock(file):
        return file
    file.close()
    return None
