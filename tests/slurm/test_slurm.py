"""The tiny workflow on a real Slurm."""

import json
import shutil
import signal
import subprocess

import psutil
import pytest

import local_slurm
from helpers.cluster import Cluster, wait_for
from helpers.tiny_project import Workflow

pytestmark = pytest.mark.slurm

WEIGHTS = "results/tiny/split1/seed7/weights.pdparams"
LOG = "logs/train/tiny/split1_seed7.log"
LONG = "train={epochs: 100, milestones: [50]}"
ASKED = "TresPerJob"


def log_of_training(cluster: Cluster) -> str:
    log = cluster.folder / LOG
    return log.read_text(errors="replace") if log.exists() else ""


def trains(cluster: Cluster) -> bool:
    """Whether epochs of the training that runs now are done."""
    return "epoch " in log_of_training(cluster) and bool(cluster.processes("train"))


def hold_training(cluster: Cluster, process: subprocess.Popen) -> psutil.Process:
    """Wait until some epochs are done, and halt the training there: it goes on when it is told, or ended by Slurm."""
    wait_for(lambda: trains(cluster), process)
    (training,) = cluster.processes("train")
    training.suspend()
    return training


def running(cluster: Cluster) -> dict[str, str]:
    """The job of Slurm that trains."""
    (job,) = [job for job in cluster.jobs("train") if job["JobState"] == "RUNNING"]
    return job


@pytest.fixture(scope="module")
def uninterrupted(prepared_project, tmp_path_factory) -> bytes:
    """The weights of a long training that ran here from end to end."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "project"
    shutil.copytree(prepared_project, folder, symlinks=True)
    Workflow(folder).run("--config", LONG, "--", WEIGHTS)
    return (folder / WEIGHTS).read_bytes()


def test_everything_from_nothing_to_the_report(fresh):
    fresh.run("--config", "device=auto")
    assert (fresh.folder / "results/tiny/figures/report.html").exists()
    assert (fresh.folder / "results/tiny/accuracy.csv").exists()
    jobs = fresh.jobs()
    assert all(job["JobState"] == "COMPLETED" for job in jobs)
    rules = {job["rule"] for job in jobs}
    assert rules == {"unpack", "extract_frames", "train", "check_weights", "export", "evaluate", "figures"}
    assert {job["rule"] for job in jobs if ASKED in job} == {"train", "evaluate"}
    first, second = fresh.jobs("train")
    assert max(first["StartTime"], second["StartTime"]) < min(first["EndTime"], second["EndTime"])
    assert first[ASKED] == second[ASKED] == "gres:gpu:1"
    assert fresh.workflow.would_run("--config", "device=auto") == {}


@pytest.mark.parametrize(("settings", "gpus"), [("device=auto", 2), ("device=cpu", 0)])
def test_a_training_has_the_gpus_that_it_asks_for_and_ctrl_c_cancels_it(prepared, settings, gpus):
    process = prepared.start("--config", settings, "train={devices: 2, batch_size: 4, epochs: 400}", "--", WEIGHTS)
    training = wait_for(lambda: trains(prepared) and prepared.processes("train"), process)[0]
    assert running(prepared).get(ASKED) == (f"gres:gpu:{gpus}" if gpus else None)
    visible = training.environ().get("CUDA_VISIBLE_DEVICES", "")
    assert len([gpu for gpu in visible.split(",") if gpu]) == gpus
    process.send_signal(signal.SIGINT)
    prepared.end(process, success=False)
    wait_for(lambda: not prepared.processes("train"))
    assert prepared.jobs("train")[0]["JobState"] in ("CANCELLED", "COMPLETING")
    assert log_of_training(prepared).splitlines()[-1].startswith("interrupted: the training is saved")


def send_signal(cluster: Cluster, job: str, training: psutil.Process) -> None:
    cluster.command("scancel", "--signal=TERM", job)
    training.resume()


def requeue(cluster: Cluster, job: str, training: psutil.Process) -> None:
    cluster.command("scontrol", "requeue", job)


def reach_time_limit(cluster: Cluster, job: str, training: psutil.Process) -> None:
    cluster.command("scontrol", "update", f"JobId={job}", "TimeLimit=1")


def lose_node(cluster: Cluster, job: str, training: psutil.Process) -> None:
    node = cluster.command("sinfo", "--noheader", "--format=%n", "--partition=main")
    cluster.command("scontrol", "update", f"NodeName={node}", "State=down", "Reason=test")
    wait_for(lambda: not training.is_running())
    resume = ("scontrol", "update", f"NodeName={node}", "State=resume")
    local_slurm.command(cluster.environment, *resume, check=False)  # it may have come back by itself


def preempt(cluster: Cluster, job: str, training: psutil.Process) -> None:
    """Let something urgent take all GPUs for a moment."""
    cluster.command("sbatch", "--partition=urgent", "--gpus=2", "--output=/dev/null", "--wrap=sleep 5")


@pytest.mark.parametrize("end", [send_signal, requeue, reach_time_limit, lose_node, preempt])
def test_a_training_that_is_ended_goes_on_by_itself_and_ends_with_the_same_weights(prepared, uninterrupted, end):
    process = prepared.start("--config", "device=auto", LONG, "--", WEIGHTS)
    training = hold_training(prepared, process)
    end(prepared, running(prepared)["JobId"], training)
    wait_for(lambda: not training.is_running(), process)
    assert not (prepared.folder / WEIGHTS).exists()
    prepared.end(process)
    assert "going on from epoch" in log_of_training(prepared)
    assert (prepared.folder / WEIGHTS).read_bytes() == uninterrupted
    description = json.loads((prepared.folder / WEIGHTS).with_suffix(".json").read_text())
    assert len(description["attempts"]) == 2


def test_after_the_head_was_killed_the_next_call_picks_up(prepared, uninterrupted):
    """The job of the killed call computes on; that of the next one waits for it and takes what it made."""
    call = "--config", "device=auto", LONG, "--", WEIGHTS
    process = prepared.start(*call)
    training = hold_training(prepared, process)
    prepared.kill(process)
    assert list((prepared.folder / ".snakemake/locks").glob("*.lock"))
    process = prepared.start(*call)
    wait_for(lambda: "waiting for another process that trains" in log_of_training(prepared), process)
    training.resume()
    prepared.end(process)
    first, second = prepared.jobs("train")
    assert first["JobState"] == second["JobState"] == "COMPLETED"
    assert "this training is already finished" in log_of_training(prepared)
    assert (prepared.folder / WEIGHTS).read_bytes() == uninterrupted


def test_a_partition_that_is_not_there_is_named(prepared):
    process = prepared.start("--default-resources", "slurm_partition=nowhere", "--", WEIGHTS)
    text = prepared.end(process, success=False)
    assert "nowhere" in text and "invalid partition" in text.lower() and "Traceback" not in text
    assert not (prepared.folder / WEIGHTS).exists()
