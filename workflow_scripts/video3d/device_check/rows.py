"""Checks that cannot stop each other: each runs in a process of its own and becomes one row of the table."""

import multiprocessing
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

OK, WRONG, SKIPPED = "ok", "wrong", "skipped"
SECONDS = 600  # after which a check hangs: a group of processes that waits for a lost member never ends


class Finding(NamedTuple):
    """What a check found: a verdict, a sentence for people, numbers for the advice and for `check.json`."""

    verdict: str
    text: str
    values: dict[str, Any] | None = None


class Check(NamedTuple):
    """A name for the table, and a function of a module with its arguments; it returns a `Finding`."""

    name: str
    function: Callable[..., Finding]
    arguments: tuple = ()


class Row(NamedTuple):
    """A line of the table."""

    name: str
    verdict: str
    text: str
    values: dict[str, Any]


def run_checks(checks: Iterable[Check], seconds: float = SECONDS) -> Iterator[Row]:
    """Yield a row for each check; one that raises, is killed or takes longer than `seconds` is wrong."""
    for check in checks:
        found = _run(check, seconds)
        yield Row(check.name, found.verdict, found.text, found.values or {})


def _run(check: Check, seconds: float) -> Finding:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, check))
    process.start()
    sender.close()  # so that the end of the process ends the waiting
    try:
        if not receiver.poll(seconds):
            return Finding(WRONG, f"no answer within {seconds:g} s")
        return receiver.recv()
    except EOFError:
        process.join()
        how = f"signal {-process.exitcode}" if process.exitcode < 0 else f"exit code {process.exitcode}"
        return Finding(WRONG, f"its process ended with {how}; see what it printed above")
    finally:
        process.kill()
        process.join()


def _answer(sender: Connection, check: Check) -> None:
    try:
        finding = check.function(*check.arguments)
    except Exception as error:  # whatever it is, the other checks go on
        traceback.print_exc(file=sys.stderr)
        lines = str(error).strip().splitlines()
        finding = Finding(WRONG, f"{type(error).__name__}: {lines[-1] if lines else ''}")
    sender.send(finding)
