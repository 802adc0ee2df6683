"""Ctrl-C and SIGTERM in a training: what it has learned is kept, and the process ends at once.

Python runs the handler of a signal in its main thread, between two of its own instructions. A step of the full-size
network on a CPU takes half a minute, much of it in one call of Paddle. So another thread waits for the signal.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SECONDS_FOR_THE_FIRST = 3.0


class Interruption:
    """Within `with Interruption(keep) as interruption:` a signal calls `keep`, prints what it returns and ends all.

    `keep` is called in a thread of its own while the main thread computes on, but never during a block
    `with interruption.held_off():`, nor after one that raised. The exit code is 128 + the number of the signal.
    In a group only the first process has something to keep; the others stay for as long as it may need them.
    """

    def __init__(self, keep: Callable[[], str] | None):
        self._keep = keep
        self._changing = threading.Lock()
        self._given_up = False

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        threading.Thread(target=self._end_on_signal, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._changing:  # the main thread of a process that is being ended waits here for its end
            self._given_up = True
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._writer)  # which ends the thread

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """Let the block end before a signal is heard: it changes what is kept."""
        with self._changing:
            try:
                yield
            except BaseException:
                self._given_up = True  # what it left half changed is not kept
                raise

    def _end_on_signal(self) -> None:
        received = os.read(self._reader, 1)
        with self._changing:
            if not received or self._given_up:
                os.close(self._reader)
                return
            if self._keep:
                self._keep_and_say()
            else:  # when the first process has ended, the one that started all has the others told again
                select.select([self._reader], [], [], SECONDS_FOR_THE_FIRST)
            os._exit(128 + received[0])

    def _keep_and_say(self) -> None:
        try:
            last_words = self._keep()
        except Exception as error:
            last_words = f"error: interrupted, and the training could not be saved: {error}"
        above = "\n" if sys.stderr.isatty() else ""  # ends the line of the progress bar
        print(f"{above}{last_words}", file=sys.stderr, flush=True)
