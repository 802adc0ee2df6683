"""The workflow in a folder of its own, while the clone with the rules and scripts lies elsewhere and is only read."""

import os
import shutil
from pathlib import Path

import pytest

from helpers.tiny_project import CONFIG, Workflow

ODD = "ä ö 'single' \"double\" {name} <name> $HOME ;"
MADE = {"data", "results", "resources", "logs", "benchmarks", ".snakemake"}


class Elsewhere(Workflow):
    """A folder that is worked in, with the Snakefile of a clone."""

    def __init__(self, folder: Path, clone: Path, start: Path | None = None):
        super().__init__(start or folder)
        self.options = ["--snakefile", f"{clone}/Snakefile", "--directory", str(folder), "--cores", "2"]

    def _arguments(self, *arguments: str) -> list[str]:
        return [*arguments, *self.options]


@pytest.fixture
def clone(fresh_project, tmp_path) -> Path:
    """A clone under an odd name that cannot be written to (root can), and without settings for the tiny data set."""
    folder = tmp_path / f"clone {ODD}"
    shutil.copytree(fresh_project, folder, ignore=shutil.ignore_patterns("tiny.yaml", "source", ".snakemake"))
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture
def folder(fresh_project, tmp_path) -> Path:
    """A folder under an odd name with the archives of the tiny data set and its settings, which name them from here."""
    folder = tmp_path / f"folder {ODD}"
    shutil.copytree(fresh_project / "source", folder / "source")
    (folder / "config.yaml").write_text(CONFIG)
    return folder


def content(folder: Path) -> dict[Path, int]:
    """Every file and folder below a folder, with its time of change; Python's caches are left out."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if "__pycache__" not in str(path)}


def test_jobs_run_in_the_folder_that_is_worked_in_and_nothing_is_written_to_the_clone(clone, folder):
    before = content(clone)
    Elsewhere(folder, clone).run("results/tiny/audit.csv")
    assert (folder / "results/tiny/audit.csv").read_text().count(",ok,") == 12
    assert {path.name for path in folder.iterdir()} == {"source", "config.yaml", *MADE}
    assert content(clone) == before


def test_results_do_not_know_where_the_clone_lies(clone, finished_project, tmp_path):
    """A finished run is up to date with another clone, and gets its report from there."""
    folder = tmp_path / f"folder {ODD}"
    shutil.copytree(finished_project, folder, symlinks=True, ignore=shutil.ignore_patterns("Snakefile", "rules"))
    shutil.copy(folder / "tiny.yaml", folder / "config.yaml")
    elsewhere = Elsewhere(folder, clone)
    assert elsewhere.would_run("report") == {"report": 1}
    elsewhere.run("report")
    assert "Creating report" in (folder / "logs/report/tiny.log").read_text()
    assert (folder / "results/tiny/report.html").stat().st_size > 3e6  # it holds its pictures and programs
    assert elsewhere.would_run("report") == {}


def test_the_settings_are_those_of_the_folder_else_those_of_the_clone(clone, folder):
    elsewhere = Elsewhere(folder, clone)
    assert "results/tiny/accuracy.csv" in elsewhere.run("--dry-run")
    assert "results/other/accuracy.csv" in elsewhere.run("--dry-run", "--config", "run=other")
    recipe = elsewhere.run("--dry-run", "--configfile", str(clone / "recipes/demo.yaml"))
    assert "results/demo/accuracy.csv" in recipe
    (folder / "config.yaml").unlink()
    assert "results/reference/accuracy.csv" in elsewhere.run("--dry-run")


def test_a_call_from_a_third_folder_takes_its_paths_from_there(clone, folder, tmp_path, monkeypatch):
    """Those of the command line; those in settings are of the folder that is worked in."""
    start = tmp_path / "start"
    (start / "mine").mkdir(parents=True)
    (start / "mine/config.yaml").write_text("keep-going: true\n")
    (start / "more.yaml").write_text("{run: more}")
    monkeypatch.setenv("PWD", str(start))  # as a shell does
    elsewhere = Elsewhere(Path(os.path.relpath(folder, start)), Path(os.path.relpath(clone, start)), start)
    options = ["--dry-run", "--configfile", "more.yaml", "--profile", "mine"]
    assert "input: source/videos.zip" in elsewhere.run("results/more/audit.csv", *options)
    assert "predict: videos: is not set" in elsewhere.fail("predict", *options)  # so the whole call was understood
    assert {path.name for path in start.iterdir()} == {"mine", "more.yaml"}
