"""A copy of the project on a Slurm of this machine, and what Slurm says about its jobs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

import local_slurm
from helpers.tiny_project import Workflow

SECONDS_TO_WAIT = 600  # a job starts Snakemake twice before it does anything
# Snakemake as it is, but for the pause between two questions to Slurm, which grows by ten seconds each time.
ASKING_EVERY_SECOND = """
import asyncio
from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor
async def sleep(self): await asyncio.sleep(1)
Executor.sleep = sleep
main()
"""


class Cluster:
    """One copy of the project, and the Slurm that it runs on."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.workflow = Workflow(folder)
        self.folder = folder
        self.environment = environment

    def start(self, *arguments: str, within: Sequence[str] = ()) -> subprocess.Popen:
        """Start Snakemake with the project's profile for Slurm, in a process group of its own.

        `within` is a command that runs the command which follows it.
        """
        _python, _m, _snakemake, *command = self.workflow.command(
            *("--profile", "profiles/slurm", "--set-threads", "train=2", "evaluate=2", "--latency-wait", "5"),
            *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2", *arguments),
        )
        command[command.index("--cores") : command.index("--cores") + 2] = []
        return subprocess.Popen(
            [*within, sys.executable, "-c", ASKING_EVERY_SECOND, *command],
            cwd=self.folder,
            env=os.environ | self.environment,
            stdout=(self.folder / "output.txt").open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )

    def run(self, *arguments: str) -> str:
        """Run Snakemake, which must succeed; return what it printed."""
        return self.end(self.start(*arguments))

    def end(self, process: subprocess.Popen, success: bool = True) -> str:
        """Wait until Snakemake ends as it should; return what it printed."""
        process.wait(timeout=2 * SECONDS_TO_WAIT)
        text = (self.folder / "output.txt").read_text()
        assert (process.returncode == 0) == success, text
        return text

    def command(self, *arguments: str) -> str:
        """Return what a program of Slurm prints."""
        return local_slurm.command(self.environment, *arguments)

    def jobs(self, rule: str = "") -> list[dict[str, str]]:
        """Return what Slurm knows of this folder's jobs, oldest first, each with its rule."""
        jobs = []
        for line in self.command("scontrol", "--oneliner", "show", "jobs").splitlines():
            job = dict(re.findall(r"(\w+)=(\S*)", line))
            if job.get("WorkDir") == str(self.folder):
                job["rule"] = re.match(r"rule_([a-z_]*?)(_wildcards_.*)?$", job["Comment"]).group(1)
                jobs.append(job)
        return sorted((job for job in jobs if job["rule"].startswith(rule)), key=lambda job: int(job["JobId"]))

    def kill(self, process: subprocess.Popen) -> None:
        """Kill Snakemake, and nothing that it started."""
        process.send_signal(signal.SIGKILL)
        process.wait()


class Training:
    """The training of one split on a cluster, whichever job it is that trains."""

    def __init__(self, cluster: Cluster, split: int):
        self.cluster = cluster
        self.results = f"results/tiny/split{split}/seed7"
        self.log = cluster.folder / f"logs/train/tiny/split{split}_seed7.log"
        self.comment = f"rule_train_wildcards_{split}_7"

    def said(self) -> str:
        """Return the log of the present job."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def job(self) -> dict[str, str]:
        """Return what Slurm knows of the job that trains."""
        (job,) = [
            job for job in self.cluster.jobs("train") if job["Comment"] == self.comment and job["JobState"] == "RUNNING"
        ]
        return job

    def process(self) -> psutil.Process | None:
        """Return the process that trains, the first of several."""
        for process in psutil.process_iter(["cmdline", "cwd"]):
            arguments, here = process.info["cmdline"] or [], process.info["cwd"] == str(self.cluster.folder)
            trains = arguments[1:2] == [f"{self.cluster.folder}/workflow_scripts/train.py"]
            if here and trains and f"{self.results}/checkpoints" in arguments:
                return process
        return None

    def halt(self, head: subprocess.Popen, after: psutil.Process | None = None) -> psutil.Process:
        """Wait until an epoch is done and halt the training: it goes on when it is told, or Slurm ends it.

        Args:
            head: Snakemake, which must not end before that.
            after: the process of an earlier job that must have ended before.
        """
        wait_for(lambda: not (after and after.is_running()), head)
        process = wait_for(lambda: re.search("^epoch [0-9]+: ", self.said(), re.MULTILINE) and self.process(), head)
        process.suspend()
        return process


def hear_interrupts() -> None:
    """Let Ctrl-C have its effect also where the tests run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition: Callable[[], object], process: subprocess.Popen | None = None) -> object:
    """Wait until the condition is true, and return it; fail if Snakemake ends before that."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not (value := condition()):
        assert time.monotonic() < deadline, "it takes too long"
        assert process is None or process.poll() is None, "Snakemake has ended"
        time.sleep(0.2)
    return value
