"""Copies of the project with a tiny data set: before anything ran, and after one whole run."""

import shutil
from pathlib import Path

import pytest

from helpers.tiny_project import Workflow, copy_project


@pytest.fixture(scope="session")
def fresh_project(tmp_path_factory) -> Path:
    """The project and the archives of the tiny data set, before anything ran."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    copy_project(folder)
    return folder


@pytest.fixture(scope="session")
def finished_project(fresh_project, tmp_path_factory) -> Path:
    """The project after one whole run."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(fresh_project, folder, symlinks=True)
    Workflow(folder).run()
    return folder


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
