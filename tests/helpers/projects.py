"""Copies of the project with a tiny data set: before anything ran, and after one whole run."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.tiny_project import Workflow, copy_project


@pytest.fixture(scope="session")
def make_once(tmp_path_factory) -> Callable:
    """Make a folder once for all processes of pytest: the first that needs it does, the others wait."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def make_once(name: str, make: Callable[[Path], None]) -> Path:
        """Return the folder of this name, which `make` has filled."""
        with (shared / f"{name}.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            if not lock.read():
                shutil.rmtree(shared / name, ignore_errors=True)  # of a process that failed
                make(shared / name)
                lock.write("made")
        return shared / name

    return make_once


@pytest.fixture(scope="session")
def fresh_project(make_once) -> Path:
    """The project and the archives of the tiny data set, before anything ran."""
    return make_once("fresh", copy_project)


@pytest.fixture(scope="session")
def finished_project(fresh_project, make_once) -> Path:
    """The project after one whole run."""

    def run(folder: Path) -> None:
        shutil.copytree(fresh_project, folder, symlinks=True)
        Workflow(folder).run()

    return make_once("finished", run)


@pytest.fixture
def fresh(fresh_project, tmp_path) -> Workflow:
    """A copy of the project before anything ran, to be changed at will."""
    shutil.copytree(fresh_project, tmp_path / "project", symlinks=True)
    return Workflow(tmp_path / "project")


@pytest.fixture
def finished(finished_project, tmp_path) -> Workflow:
    """A copy of the project after one whole run, to be changed at will."""
    shutil.copytree(finished_project, tmp_path / "project", symlinks=True)
    return Workflow(tmp_path / "project")
