"""The wall time of every attempt at a training, however it ended.

An attempt's seconds are written while it runs: what is killed with SIGKILL has no last word.
"""

import json
import threading
import time
from pathlib import Path
from typing import Self

from video3d.common.files import atomic_path

FILE = "attempts.json"
SECONDS_BETWEEN_WRITES = 10.0


class Attempt:
    """Within `with Attempt(folder, device):` the time is taken and kept in `folder`, after that of earlier attempts."""

    def __init__(self, folder: Path, device: str):
        self._folder, self._device = folder, device
        self._ended = threading.Event()
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._earlier = read_attempts(self._folder)
        self.write()
        threading.Thread(target=self._write_regularly, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self.write()

    def write(self) -> None:
        """Keep the seconds until now."""
        with self._writing, atomic_path(self._folder / FILE) as path:
            this = {"seconds": round(time.monotonic() - self._start, 1), "device": self._device}
            path.write_text(json.dumps([*self._earlier, this]))

    def _write_regularly(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_WRITES):
            self.write()


def read_attempts(folder: Path) -> list[dict]:
    """Return `seconds` and `device` of each attempt at the training whose checkpoints are in `folder`, oldest first."""
    path = folder / FILE
    return json.loads(path.read_text()) if path.is_file() else []
