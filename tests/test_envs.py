"""The lists of software say the same."""

import re
import tomllib

import yaml

from helpers.paths import PROJECT

ENVS = PROJECT / "envs"


def locked(name: str) -> dict[str, set[str]]:
    """The versions of each package in a lock file; more than one where they depend on Python's version."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ENVS / name).read_text(), flags=re.MULTILINE):
        versions.setdefault(package, set()).add(version)
    return versions


def test_the_conda_file_has_the_locked_versions():
    *_, pip = yaml.safe_load((ENVS / "cpu.yaml").read_text())["dependencies"]
    lock = locked("cpu.lock")
    named = dict(re.sub(r"\[.*\]", "", line).split("==") for line in pip["pip"])
    assert all(version in lock[name] for name, version in named.items())
    wanted = re.findall(r"^[a-z][a-z0-9-]*", (ENVS / "cpu.in").read_text(), flags=re.MULTILINE)
    assert set(named) == set(wanted)


def test_the_development_lock_adds_to_the_other():
    cpu, dev = locked("cpu.lock"), locked("dev.lock")
    assert all(dev[name] == versions for name, versions in cpu.items())


def test_what_a_cluster_needs_fits_the_rest_and_no_local_run_needs_it():
    cpu, slurm = locked("cpu.lock"), locked("slurm.lock")
    assert all(cpu.get(name, versions) == versions for name, versions in slurm.items())
    assert "snakemake-executor-plugin-slurm" in slurm.keys() - cpu.keys() - locked("dev.lock").keys()


def test_every_locked_package_has_hashes_and_no_address():
    for name in ("installer.lock", "cpu.lock", "slurm.lock", "dev.lock", "docs.lock"):
        text = (ENVS / name).read_text()
        assert "://" not in text
        for block in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in block, block


def test_the_hooks_before_a_commit_are_of_the_locked_versions():
    hooks = yaml.safe_load((ENVS.parent / ".pre-commit-config.yaml").read_text())["repos"]
    revisions = {
        hook["id"].partition("-")[0]: repo["rev"].removeprefix("v") for repo in hooks for hook in repo["hooks"]
    }
    lock = locked("dev.lock")
    assert revisions.keys() == {"ruff", "snakefmt"}
    assert all({revision} == lock[name] for name, revision in revisions.items())


def test_the_version_and_the_licence_are_those_of_the_citation():
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ENVS.parent / "CITATION.cff").read_text())
    assert (project["version"], project["license"]) == (citation["version"], citation["license"])
