"""This workflow as a module of another one, and deployed as snakedeploy does it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.paths import PROJECT
from helpers.tiny_project import CONFIG, Workflow

OUTER = """
configfile: "outer.yaml"

shell.prefix("outer=prefix; ")

module ucf101:
    snakefile: "../project/Snakefile"
    config: config
    prefix: "nested"

use rule * from ucf101 as ucf101_*

rule count:
    default_target: True
    input: "nested/results/tiny/audit.csv"
    output: "lines.txt"
    shell: "echo $outer > {output}; command -v python3 >> {output}; false | wc -l < {input} >> {output}"
"""
# The template of snakedeploy 0.17, which writes "Snakefile" for a source on this machine: the path is for its user.
DEPLOYED = """
from snakemake.utils import min_version

min_version("6.10.0")

configfile: "config/config.yaml"

module ucf101:
    snakefile:
        "{project}/Snakefile"
    config:
        config

use rule * from ucf101
"""


class Outer(Workflow):
    """A workflow that has the project as a module."""

    def __init__(self, folder: Path, snakefile: str):
        super().__init__(folder)
        (folder / "Snakefile").write_text(snakefile)
        (folder / "outer.yaml").write_text(CONFIG)

    def _arguments(self, *arguments: str) -> list[str]:
        return [*arguments, "--cores", "2"]


@pytest.fixture
def outer(fresh) -> Outer:
    """The outer workflow beside a copy of the project; paths in settings are relative to its folder."""
    folder = fresh.folder.parent / "outer"
    shutil.copytree(fresh.folder / "source", folder / "source")
    return Outer(folder, OUTER)


def test_jobs_run_below_the_prefix_and_the_other_rules_keep_their_shell(outer, monkeypatch):
    outer.run()
    assert {path.name for path in outer.folder.iterdir()} == {
        "Snakefile", "outer.yaml", "source", "nested", "lines.txt", ".snakemake",
    }  # fmt: skip
    made = {path.name for path in (outer.folder / "nested").iterdir()}
    assert made == {"data", "results", "resources", "logs", "benchmarks"}
    assert len(list((outer.folder / "nested/data/tiny/videos").glob("*/*.avi"))) == 12
    prefix, python, lines = (outer.folder / "lines.txt").read_text().split()
    assert (prefix, python, lines) == ("prefix", shutil.which("python3"), "13")
    assert outer.would_run() == {}


def test_wrong_settings_of_the_module_are_named(outer):
    said = outer.fail("--dry-run", "--config", "train={epoch: 3}")
    assert "error: the configuration is not valid" in said and "did you mean epochs?" in said
    assert "Traceback" not in said


def test_a_finished_training_below_the_prefix_is_not_replaced_by_one_with_other_settings(outer, finished_project):
    shutil.copytree(finished_project / "results", outer.folder / "nested/results")
    said = outer.fail("--dry-run", "nested/results/tiny/split1/seed7/weights.pdparams", "--config", "train={epochs: 9}")
    assert "nested/results/tiny/ holds what was trained with other settings" in said
    assert "train.epochs: 2 → 9" in said


def test_runs_below_the_prefix_are_compared(outer):
    said = outer.fail("--dry-run", "nested/results/tiny/compare_other.csv")
    assert "there is no run tiny to compare: nested/results/tiny/accuracy.csv does not exist" in said


def test_without_a_prefix_the_results_are_those_of_the_workflow_itself(finished):
    """A finished run stays up to date when its workflow becomes a module, deployed as snakedeploy does it."""
    deployed = finished.folder.parent / "deployed"
    shutil.copytree(PROJECT / "config", deployed / "config")
    shutil.copytree(PROJECT / "profiles", deployed / "profiles")
    for part in ("data", "resources", "results", "benchmarks", "logs", "source", ".snakemake"):
        (finished.folder / part).rename(deployed / part)
    (deployed / "workflow").mkdir()
    outer = Outer(deployed, "")
    (deployed / "workflow/Snakefile").write_text(DEPLOYED.format(project=finished.folder))
    (deployed / "Snakefile").unlink()
    assert "results/reference/accuracy.csv" in outer.run("--dry-run")  # with the settings that were deployed
    (deployed / "config/config.yaml").write_text(CONFIG)
    assert outer.would_run() == {}
    assert "\nreport (" not in outer.run("--list-rules")  # it would call Snakemake with other rules than these
    outer.run("--report", "whole.html")


def test_scripts_that_are_not_on_this_machine_are_asked_for(outer):
    """As with github(…): Snakemake takes the rules alone out of a repository."""
    repository = outer.folder.parent
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(repository)]
    for command in (
        ["init", "--quiet"],
        ["add", "project/Snakefile", "project/rules"],
        ["commit", "--quiet", "-m", "a"],
    ):
        subprocess.run([*git, *command], check=True)
    rules = f'gitfile("{repository}", path="project/Snakefile", ref="HEAD")'
    outer.edit("Snakefile", '"../project/Snakefile"', rules)
    assert "clone it, and give the clone's path" in outer.fail("--dry-run")
