"""A real Slurm on this machine, with two pretended GPUs, and copies of the project whose data are ready."""

import shutil
from pathlib import Path

import pytest

import local_slurm
from helpers.cluster import Cluster
from helpers.tiny_project import Workflow, copy_project

GPUS = 2


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A Slurm of one node; what the environment of its users needs."""
    if missing := local_slurm.missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)")
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="not installed: envs/slurm.lock")
    folder = tmp_path_factory.mktemp("slurm")
    try:
        environment = local_slurm.start(folder, GPUS)
    except RuntimeError as error:
        pytest.skip(f"no Slurm starts here: {error}")
    yield environment
    local_slurm.stop(folder)


@pytest.fixture(scope="session")
def prepared_project(tmp_path_factory) -> Path:
    """The project with the tiny data set, ready to be trained on."""
    folder = tmp_path_factory.mktemp("prepared") / "project"
    copy_project(folder)
    Workflow(folder).run("--", "results/tiny/splits/split1.csv", "results/tiny/splits/split2.csv")
    return folder


@pytest.fixture
def fresh(slurm, tmp_path) -> Cluster:
    """A copy of the project before anything ran."""
    copy_project(tmp_path / "project")
    return Cluster(tmp_path / "project", slurm)


@pytest.fixture
def prepared(slurm, prepared_project, tmp_path) -> Cluster:
    """A copy of the project whose data are ready."""
    shutil.copytree(prepared_project, tmp_path / "project", symlinks=True)
    return Cluster(tmp_path / "project", slurm)
