"""What a person sees on the terminal and in the logs: errors, messages and progress."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

from video3d.common.disk import disk_fault
from video3d.common.errors import UserError
from video3d.common.job import join_run
from video3d.common.printable import printable_lines

Item = TypeVar("Item")
SECONDS_BETWEEN_LINES = 10
tqdm.set_lock(threading.RLock())  # its own is shared between processes, and Python says so if one of them is ended


def run(main: Callable[[], None]) -> int:
    """Run a script's `main` and return its exit code.

    A `UserError` becomes one line on standard error and exit code 1, and so does a disk that is full or may not be
    written; any other exception keeps its traceback, as it is a bug of this project. Ctrl-C, SIGTERM and the end of the
    run that the script is a job of become one line too, and exit code 128 + the number of the signal.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    try:
        join_run()
        main()
    except UserError as error:
        print(f"error: {printable_lines(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        if not (fault := disk_fault(error)):
            raise
        print(f"error: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print("interrupted: run the same command again to finish", file=sys.stderr)
        return 128 + interrupt.args[0]
    return 0


def _interrupt(number: int, _frame: object) -> None:
    for other in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and the end of the run come together; once is enough
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


class PrintableFormatter(logging.Formatter):
    """The form of messages, which may hold names of files with control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message as people may see it."""
        return printable_lines(super().format(record))


class ProgressLines(tqdm):
    """A progress bar for files and pipes: a plain line now and then instead of a bar that redraws itself."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"mininterval": SECONDS_BETWEEN_LINES, "maxinterval": SECONDS_BETWEEN_LINES} | kwargs)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Print the state as a line of its own, but not before the first step."""
        if self.n:
            print(msg or str(self), file=sys.stderr, flush=True)
        return True


def progress(
    items: Iterable[Item] | None = None,
    *,
    total: float | None = None,
    unit: str = "it",
    description: str = "",
    unit_scale: bool = False,
    initial: int = 0,
) -> tqdm:
    """Return a tqdm object: a bar with rate and time left on a terminal, plain lines every 10 s in a log.

    Numbers beside the bar are set with `.set_postfix(loss=…)`.

    Args:
        items: what is looped over; without it, call `.update(n)`.
        total: how much there is to do, if `items` do not tell.
        unit: what is counted.
        description: text before the bar.
        unit_scale: whether to shorten large numbers, as in 1.2M.
        initial: how much was done before the clock starts.
    """
    progress_bar = tqdm if sys.stderr.isatty() else ProgressLines
    return progress_bar(
        items, total=total, unit=unit, desc=description, unit_scale=unit_scale, initial=initial, file=sys.stderr
    )


@contextmanager
def stopwatch(what: str) -> Iterator[None]:
    """Log how many seconds the block took, e.g. `wrote the pack: 3.2 s`."""
    start = time.perf_counter()
    yield
    logging.info("%s: %.1f s", what, time.perf_counter() - start)
