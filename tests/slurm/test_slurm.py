"""The tiny workflow on a real Slurm."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

import local_slurm
from helpers.cluster import Cluster, Training, wait_for
from helpers.tiny_project import Workflow

pytestmark = pytest.mark.slurm

WEIGHTS = [f"results/tiny/split{split}/seed7/weights.pdparams" for split in (1, 2)]
LONG = "train={epochs: 100, milestones: [50]}"
ASKED = "TresPerJob"


@pytest.fixture(scope="module")
def uninterrupted(prepared_project, tmp_path_factory) -> list[bytes]:
    """The weights of long trainings that ran here from end to end."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "project"
    shutil.copytree(prepared_project, folder, symlinks=True)
    Workflow(folder).run("--config", LONG, "--", *WEIGHTS)
    return [(folder / file).read_bytes() for file in WEIGHTS]


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


def test_a_training_has_all_gpus_that_it_asks_for_and_ctrl_c_cancels_it(prepared):
    settings = "device=auto", "train={devices: 2, batch_size: 4, epochs: 400}"
    head, training = prepared.start("--config", *settings, "--", WEIGHTS[0]), Training(prepared, 1)
    process = training.halt(head)
    assert training.job()[ASKED] == "gres:gpu:2"
    assert len(set(process.environ()["CUDA_VISIBLE_DEVICES"].split(","))) == 2
    process.resume()
    head.send_signal(signal.SIGINT)
    prepared.end(head, success=False)
    wait_for(lambda: not process.is_running())
    assert prepared.jobs("train")[0]["JobState"] in ("CANCELLED", "COMPLETING")
    assert "interrupted: the training is saved" in training.said()


@pytest.fixture
def drained(prepared) -> Iterator[Cluster]:
    """A copy of the project whose data are ready, on a node that takes no new job."""
    node = name_of_node(prepared)
    prepared.command("scontrol", "update", f"NodeName={node}", "State=drain", "Reason=test")
    yield prepared
    prepared.command("scontrol", "update", f"NodeName={node}", "State=resume")


def test_on_the_cpu_no_gpu_is_asked_for(drained):
    head = drained.start("--config", "device=cpu", "train={devices: 2, batch_size: 4}", "--", WEIGHTS[0])
    (job,) = wait_for(lambda: drained.jobs("train"), head)
    assert job["JobState"] == "PENDING" and ASKED not in job
    head.send_signal(signal.SIGINT)
    drained.end(head, success=False)
    assert drained.jobs("train")[0]["JobState"] == "CANCELLED"


def name_of_node(cluster: Cluster) -> str:
    return cluster.command("sinfo", "--noheader", "--format=%n", "--partition=main")


def test_trainings_that_end_in_any_way_go_on_by_themselves_to_the_same_weights(prepared, uninterrupted):
    """Two at a time: a signal, a requeue, a time limit, a preemption, a lost node, and at last a killed Snakemake.

    The job of the killed call computes on; that of the next one waits for it and takes what it made.
    """
    call = "--config", "device=auto", LONG, "--", *WEIGHTS
    head = prepared.start(*call)
    trainings = [Training(prepared, split) for split in (1, 2)]
    processes = [training.halt(head) for training in trainings]
    prepared.command("scontrol", "update", f"JobId={trainings[1].job()['JobId']}", "TimeLimit=1")

    prepared.command("scancel", "--signal=TERM", trainings[0].job()["JobId"])
    processes[0].resume()
    processes[0] = trainings[0].halt(head, after=processes[0])
    prepared.command("scontrol", "requeue", trainings[0].job()["JobId"])
    processes[0] = trainings[0].halt(head, after=processes[0])
    processes[1] = trainings[1].halt(head, after=processes[1])  # the time limit

    prepared.command("sbatch", "--partition=urgent", "--gpus=2", "--output=/dev/null", "--wrap=sleep 1")
    processes = [training.halt(head, after) for training, after in zip(trainings, processes, strict=True)]
    node = name_of_node(prepared)
    prepared.command("scontrol", "update", f"NodeName={node}", "State=down", "Reason=test")
    for process in processes:
        process.kill()  # as a node takes its processes with it
    resume = ("scontrol", "update", f"NodeName={node}", "State=resume")
    local_slurm.command(prepared.environment, *resume, check=False)  # it may have come back by itself
    processes = [training.halt(head) for training in trainings]
    assert not any((prepared.folder / file).exists() for file in WEIGHTS)

    processes[1].resume()
    wait_for((prepared.folder / WEIGHTS[1]).exists, head)  # which gives back a GPU
    prepared.kill(head)
    assert list((prepared.folder / ".snakemake/locks").glob("*.lock"))
    head = prepared.start(*call)
    wait_for(lambda: "waiting for another process that does the same job" in trainings[0].said(), head)
    processes[0].resume()
    prepared.end(head)
    assert "this training is already finished" in trainings[0].said()
    assert [(prepared.folder / file).read_bytes() for file in WEIGHTS] == uninterrupted
    descriptions = [json.loads((prepared.folder / file).with_suffix(".json").read_text()) for file in WEIGHTS]
    assert [len(description["attempts"]) for description in descriptions] == [5, 4]


@pytest.mark.parametrize(
    ("partition", "named"),
    [("nowhere", "invalid partition"), ("accounted", "invalid account")],
    ids=["a partition that is not there", "no account where one is asked for"],
)
def test_what_the_cluster_refuses_is_named(prepared, partition, named):
    process = prepared.start("--default-resources", f"slurm_partition={partition}", "--", WEIGHTS[0])
    text = prepared.end(process, success=False)
    assert named in text.lower() and "Traceback" not in text
    assert "error in train (split 1, seed 7): it ended without a word" in text.splitlines()[-1]
    assert "its words are above, and the profile sets account and partition" in text.splitlines()[-1]
    assert not (prepared.folder / WEIGHTS[0]).exists()


def test_a_node_that_does_not_see_the_folder_is_named(prepared, tmp_path):
    here = tmp_path / "only on this machine"
    here.mkdir()
    elsewhere = ("unshare", "--mount", "bash", "-c", 'mount --bind . "$0" && cd "$0" && exec "$@"', str(here))
    if subprocess.run([*elsewhere, "true"], capture_output=True, cwd=tmp_path).returncode:
        pytest.skip("a mount that only one process sees is not allowed here")
    text = prepared.end(prepared.start("--config", "device=cpu", "--", WEIGHTS[0], within=elsewhere), success=False)
    assert f"every node must see {here} under this path" in text.splitlines()[-1]
    assert not (prepared.folder / WEIGHTS[0]).exists()
