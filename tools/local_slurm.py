"""Start a real Slurm of one node on this machine, with pretended GPUs, to try the workflow on a cluster without one.

    python tools/local_slurm.py start <folder> --gpus 2   prints how to use it
    python tools/local_slurm.py stop <folder>             ends its jobs and its daemons

Needs the Debian packages slurmctld, slurmd, slurm-client and munge, but neither root nor a file outside the folder.
The node claims more processors than there are, so that jobs that ask for eight run side by side on a small machine.
The partition "accounted" takes jobs with an account only, as many sites do.
"""

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PROGRAMS = (
    "munged",
    "slurmctld",
    "slurmd",
    "sbatch",
    "srun",
    "squeue",
    "scontrol",
)  # in the order in which they are needed
DAEMONS = ("slurmd", "slurmctld", "munged")  # in the order in which they end
SECONDS_TO_START = 30
CONF = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=10
MinJobAge=3600
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobSubmitPlugins=lua
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=32 RealMemory=64000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=24:00:00 DefMemPerCPU=500 PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=24:00:00 DefMemPerCPU=500 PriorityTier=2 PreemptMode=OFF
PartitionName=accounted Nodes=ALL MaxTime=24:00:00 DefMemPerCPU=500 PriorityTier=1
"""
JOB_SUBMIT = """\
function slurm_job_submit(job, partitions, user)
  if job.partition == "accounted" and job.account == nil then
    return slurm.ESLURM_INVALID_ACCOUNT
  end
  return slurm.SUCCESS
end

function slurm_job_modify(job, record, partitions, user)
  return slurm.SUCCESS
end
"""


def missing_programs() -> list[str]:
    """Return the programs of Slurm and MUNGE that are not installed."""
    return [name for name in PROGRAMS if not shutil.which(name, path=search_path())]


def search_path() -> str:
    """Return PATH with the folders of daemons, which is not everybody's."""
    return os.pathsep.join([*os.get_exec_path(), "/usr/sbin", "/usr/local/sbin"])


def start(folder: Path, gpus: int) -> dict[str, str]:
    """Start the daemons and wait until the node takes jobs; return what the environment of its users needs.

    Raises RuntimeError with the last lines of the logs if it does not.
    """
    folder = folder.resolve()
    for name in ("state", "spool", "devices"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    write_configuration(folder, gpus)
    key = folder / "munge.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
    environment = environment_of(folder)
    write_srun(folder)
    of_munge = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munged.pid"}
    of_munge |= {"log-file": folder / "munged.log", "seed-file": folder / "munged.seed"}
    run(folder, "munged", "--force", *(f"--{name}={path}" for name, path in of_munge.items()))
    run(folder, "slurmctld", "-c", "-f", environment["SLURM_CONF"])
    run(folder, "slurmd", "-f", environment["SLURM_CONF"])
    for _ in range(SECONDS_TO_START * 5):
        if command(environment, "sinfo", "--noheader", "--format=%T", "--partition=main", check=False) == "idle":
            return environment
        time.sleep(0.2)
    stop(folder)
    raise RuntimeError(f"the node takes no jobs\n{last_words(folder)}")


def environment_of(folder: Path) -> dict[str, str]:
    """Return the variables that lead the programs of Slurm to this one."""
    path = os.pathsep.join([str(folder / "bin"), *os.get_exec_path()])
    return {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}


def write_srun(folder: Path) -> None:
    """Write an srun that finds the configuration also where Snakemake calls it without any variable of Slurm."""
    srun = folder / "bin" / "srun"
    srun.parent.mkdir(exist_ok=True)
    srun.write_text(
        f'#!/bin/sh\nSLURM_CONF={shlex.quote(str(folder / "slurm.conf"))} exec {shutil.which("srun")} "$@"\n'
    )
    srun.chmod(0o755)


def write_configuration(folder: Path, gpus: int) -> None:
    """Write Slurm's files; a link to /dev/null stands for each GPU, as Slurm asks for a device."""
    host = socket.gethostname().partition(".")[0]
    with socket.socket() as first, socket.socket() as second:  # both open, so that the ports differ
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        ports = {"controller_port": first.getsockname()[1], "node_port": second.getsockname()[1]}
    user = subprocess.run(["id", "--user", "--name"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "slurm.conf").write_text(CONF.format(folder=folder, host=host, user=user, gpus=gpus, **ports))
    (folder / "job_submit.lua").write_text(JOB_SUBMIT)
    devices = [folder / "devices" / f"nvidia{number}" for number in range(gpus)]
    for device in devices:
        if not device.is_symlink():
            device.symlink_to("/dev/null")
    (folder / "gres.conf").write_text("".join(f"NodeName={host} Name=gpu File={device}\n" for device in devices))


def run(folder: Path, *arguments: str) -> None:
    """Start a daemon, which returns when it runs in the background."""
    try:
        subprocess.run(
            [shutil.which(arguments[0], path=search_path()), *arguments[1:]],
            stdin=subprocess.DEVNULL,
            stdout=(folder / f"{arguments[0]}.start").open("w"),
            stderr=subprocess.STDOUT,
            check=True,
            start_new_session=True,
        )
    except (subprocess.CalledProcessError, TypeError) as error:
        stop(folder)
        raise RuntimeError(f"{arguments[0]} does not start: {error}\n{last_words(folder)}") from error


def command(environment: dict[str, str], *arguments: str, check: bool = True) -> str:
    """Return what a program of Slurm prints."""
    done = subprocess.run(arguments, env=os.environ | environment, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def last_words(folder: Path) -> str:
    """Return the end of each log."""
    logs = [*sorted(folder.glob("*.start")), *sorted(folder.glob("*.log"))]
    return "\n".join(line for log in logs for line in log.read_text(errors="replace").splitlines()[-5:])


def stop(folder: Path) -> None:
    """End all jobs, then the daemons, and wait until they are gone."""
    folder = folder.resolve()
    environment = environment_of(folder)
    if process_of(folder, "slurmctld"):
        command(environment, "scancel", "--partition=main,urgent,accounted", check=False)
        for _ in range(100):
            if not command(environment, "squeue", "--noheader", check=False):
                break
            time.sleep(0.2)
    for name in DAEMONS:
        if process := process_of(folder, name):
            os.kill(process, 15)
            for _ in range(100):
                if not process_of(folder, name):
                    break
                time.sleep(0.1)


def process_of(folder: Path, daemon: str) -> int | None:
    """Return the number of a daemon's process while it runs."""
    try:
        process = psutil.Process(int((folder / f"{daemon}.pid").read_text()))
        lives = process.name().startswith(daemon) and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
    return process.pid if lives else None


@contextmanager
def local_slurm(folder: Path, gpus: int) -> Iterator[dict[str, str]]:
    """Within the block a Slurm runs; it gives what the environment of its users needs."""
    environment = start(folder, gpus)
    try:
        yield environment
    finally:
        stop(folder)


def main() -> None:
    """Start or stop the Slurm in a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("folder", type=Path, help="of its configuration, state and logs")
    parser.add_argument("--gpus", type=int, default=2, help="how many GPUs the node pretends to have")
    options = parser.parse_args()
    if options.action == "stop":
        stop(options.folder)
        return
    if missing := missing_programs():
        sys.exit(f"error: not installed: {', '.join(missing)}; apt-get install slurmctld slurmd slurm-client munge")
    try:
        environment = start(options.folder, options.gpus)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    print(*(f"export {name}={shlex.quote(value)}" for name, value in environment.items()), sep="\n")


if __name__ == "__main__":
    main()
