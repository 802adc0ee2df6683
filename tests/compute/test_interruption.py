import subprocess
import sys

import pytest

from helpers.paths import PROJECT

PROLOGUE = """
import os, signal, sys, time
from video3d.compute.interruption import Interruption
done = []
"""


def run(program):
    """Run a program that uses `Interruption`; returns its exit code and what it said."""
    result = subprocess.run(
        [sys.executable, "-c", PROLOGUE + program],
        env={"PYTHONPATH": str(PROJECT / "workflow_scripts")},
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    return result.returncode, result.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_keeps_the_work_and_ends_a_process_that_runs_no_python(name):
    program = f"""
with Interruption(lambda: "saved") as interruption:
    os.kill(os.getpid(), signal.{name})
    "a" * 10**8 in "b" * 10**8
    time.sleep(20)
"""
    assert run(program) == (130 if name == "SIGINT" else 143, "saved\n")


def test_what_changes_the_work_is_not_interrupted():
    program = """
with Interruption(lambda: str(done)) as interruption:
    with interruption.held_off():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        done.append("all of it")
    time.sleep(20)
"""
    assert run(program) == (130, "['all of it']\n")


def test_what_an_error_left_half_changed_is_not_kept():
    program = """
try:
    with Interruption(lambda: "saved") as interruption, interruption.held_off():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.3)
        raise ValueError
except ValueError:
    time.sleep(0.3)
    sys.exit("the error itself")
"""
    assert run(program) == (1, "the error itself\n")


def test_the_error_that_an_interruption_causes_is_not_seen():
    program = """
with Interruption(lambda: time.sleep(0.5) or "saved"):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)
    raise ConnectionError("the other process of the group has gone")
"""
    assert run(program) == (143, "saved\n")


def test_work_that_cannot_be_saved_is_an_error_in_one_line():
    program = """
def keep():
    raise OSError("no space left")

with Interruption(keep):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(20)
"""
    code, said = run(program)
    assert code == 130 and said == "error: interrupted, and the training could not be saved: no space left\n"


def test_afterwards_signals_are_heard_as_before():
    program = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
with Interruption(lambda: "saved"):
    pass
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""
    assert run(program) == (7, "")
