"""A job ends with its run, and waits while another process does the same job."""

import os
import signal
import subprocess
import time

import pytest

from helpers.paths import PROJECT

# As Snakemake: through a shell that stays; the job writes what it has to say to a file.
RUN = """
import os, signal, subprocess, sys, time
from video3d.common.job import tell_jobs_of_the_end

signal.signal(signal.SIGTERM, lambda *_: None)  # as Snakemake, which waits for its jobs
command = f"trap : TERM; {sys.executable} job.py 2> said; echo $? > code"
job = subprocess.Popen(["bash", "-c", command], pass_fds=[tell_jobs_of_the_end()])
print(flush=True)
time.sleep(60)
"""
JOB = """
import sys, time
from pathlib import Path
from video3d.common.console import run

def main():
    Path("begun").touch()
    try:
        time.sleep(60)
    finally:
        Path("cleaned").touch()

sys.exit(run(main))
"""
SAME_JOB = """
import logging, sys
from video3d.common.job import join_run
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
join_run()
print("works", flush=True)
input()
"""


def wait_for(path):
    deadline = time.monotonic() + 60
    while not path.exists() or (path.name == "code" and not path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_job_ends_and_cleans_up_when_its_run_alone_is_signalled(tmp_path, start_python, number):
    (tmp_path / "job.py").write_text(JOB)
    process = start_python(RUN)
    process.stdout.readline()
    wait_for(tmp_path / "begun")
    os.kill(process.pid, number)
    wait_for(tmp_path / "code")
    assert (tmp_path / "code").read_text() == "143\n"
    assert (tmp_path / "said").read_text() == "interrupted: run the same command again to finish\n"
    assert (tmp_path / "cleaned").exists()


def test_a_job_waits_while_another_process_does_the_same_and_says_so(start_python):
    first, other = (start_python(SAME_JOB, VIDEO3D_LOG=f"logs/{name}.log") for name in ("one", "other"))
    assert first.stdout.readline() == other.stdout.readline() == "works\n"
    second = start_python(SAME_JOB, VIDEO3D_LOG="logs/one.log")
    assert second.stdout.readline() == "waiting for another process that does the same job\n"
    first.kill()
    assert [second.stdout.readline(), second.stdout.readline()] == ["the other process has ended\n", "works\n"]


def test_a_script_that_is_called_by_hand_belongs_to_no_run(tmp_path, start_python):
    process = start_python(SAME_JOB)
    assert process.stdout.readline() == "works\n"
    assert not (tmp_path / ".snakemake").exists()


def test_a_file_that_only_has_the_number_of_the_pipe_ends_nothing(start_python):
    """Where the pipe was closed on the way, another file may have its number: standard input can be read at once."""
    code = "import time; from video3d.common.job import join_run; join_run(); time.sleep(0.5); print('lives')"
    process = start_python(code, VIDEO3D_RUN="0 1")
    process.stdin.write("x")
    process.stdin.flush()
    assert process.stdout.readline() == "lives\n"


def test_children_of_a_job_do_not_take_its_place(start_python):
    code = "from video3d.common.job import join_run; join_run(); import os; print('VIDEO3D_RUN' in os.environ)"
    assert start_python(code, VIDEO3D_RUN="0 1").stdout.readline() == "False\n"


def test_the_shell_of_a_job_says_which_job_it_is(tmp_path):
    shell = PROJECT / "workflow_scripts/logged.sh"
    (tmp_path / "script.py").write_text("import os; print(os.environ['VIDEO3D_LOG'])")
    command = ["bash", str(shell), "python3", "script.py", "--log", "a log"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout == "a log\n"
