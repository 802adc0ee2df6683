"""The commands in README.md and docs/ work, typed as they stand there.

Each fenced block is run by bash in a copy of the project. Snakemake makes a dry run, which looks at settings, files and
targets, make prints what it would do, and scripts do their work. A block that names results is run where a run of tiny
data is finished. What cannot be run here is in NOT_RUN, with the reason.
"""

import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from helpers.paths import PROJECT
from helpers.prepared_python import dry_snakemake, launcher
from helpers.tiny_project import CONFIG, write_video

PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md"))]
NOT_RUN = {
    "git clone *": "copies the repository, which is here",
    "uv pip *": "the GPU build of PaddlePaddle has 1 GB, and there is no GPU",
    "apt-get install *": "changes the machine",
    "nano *": "waits for a person",
    "podman *": "needs a container engine",
    "snakemake *profiles/slurm*": "needs Slurm and its plugin; tests/slurm runs both",
    "snakemake --executor kubernetes *": "needs a cluster",
    "snakemake *recipes/ucf101-mini.yaml*": "needs real clips, which are not part of the project",
    "snakemake *recipes/own_videos.yaml*": "needs folders of videos; test_own_data_set.py makes them and runs it",
    "python *results/own_videos/*": "the same",
    "python tools/local_slurm.py *": "starts Slurm; tests/slurm does",
    "python tools/interval_coverage.py": "takes minutes; tests/evaluation asks the same of fewer draws",
    "python workflow_scripts/check.py*": "measures for minutes; tests/scripts/test_check.py calls it",
    "python -m pytest *": "runs these tests",
}
PLACEHOLDERS = {"<this project>": "the_repository", "<image>": "ucf101", ".venv/bin/": ""}
PROGRAM = """\
#!/bin/bash
case "{name} $*" in
  {not_run}) exit 0 ;;
esac
{run}
"""


def blocks(page: str) -> list[str]:
    """The fenced blocks of bash on a page, without comments."""
    text = (PROJECT / page).read_text()
    found = re.findall(r"^```bash\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return [re.sub(r"(^|\s+)# .*", "", block, flags=re.MULTILINE) for block in found]


def lines(page: str) -> list[str]:
    """The commands of a page, one a line."""
    return [line for line in "".join(blocks(page)).splitlines() if line.strip()]


def test_the_chinese_page_has_the_commands_of_the_readme():
    assert lines("docs/zh.md") == lines("README.md")


def test_what_is_not_run_is_on_the_pages():
    text = "\n".join("\n".join(lines(page)) for page in PAGES).replace("\\\n", "").replace(".venv/bin/", "")
    commands = [re.sub(r"^([A-Z_0-9]+=\S+|eval|tmux new) \"?(\$\()?", "", line) for line in text.splitlines()]
    assert [pattern for pattern in NOT_RUN if not any(fnmatch(command, pattern) for command in commands)] == []


@pytest.fixture(scope="session")
def unfinished(fresh_project, make_once) -> Path:
    """The project before anything ran, with the settings of UCF101 but for three classes, which are planned sooner."""

    def make(folder: Path) -> None:
        project = folder / "project"
        shutil.copytree(fresh_project, project, symlinks=True)
        settings = (project / "config.yaml").read_text()
        (project / "config.yaml").write_text(settings.replace("classes: [] ", "classes: [Archery, Bowling, YoYo] "))
        furnish(project)

    return make_once("unfinished", make)


@pytest.fixture(scope="session")
def with_results(finished_project, make_once) -> Path:
    """The project after runs of tiny data with the names that the pages use; the settings at hand are those of one."""

    def make(folder: Path) -> None:
        project = folder / "project"
        shutil.copytree(finished_project, project, symlinks=True)
        for run in ("reference", "first", "seeds"):
            shutil.copytree(project / "results/tiny", project / "results" / run)
        settings = CONFIG.replace("run: tiny", "run: reference").replace("seeds: [7]", "seeds: [10001]")
        (project / "config.yaml").write_text(settings)
        (project / "results/reference/config.yaml").write_text(settings)
        for split in project.glob("results/reference/split[12]"):
            (split / "seed7").rename(split / "seed10001")
        furnish(project)

    return make_once("with_results", make)


@pytest.fixture(scope="session")
def programs(tmp_path_factory) -> Path:
    """A folder with the programs that the commands name."""
    folder = tmp_path_factory.mktemp("programs")
    how = {
        "snakemake": dry_snakemake(),
        "make": f'exec {shutil.which("make")} --dry-run "$@"',
        "python": f'exec {launcher()} "$@"',
        "tmux": 'exec "${@:2}"',
    }
    not_run = "|".join(pattern.replace(" ", "\\ ") for pattern in NOT_RUN)
    for name in how.keys() | {pattern.split()[0] for pattern in NOT_RUN}:
        (folder / name).write_text(PROGRAM.format(name=name, not_run=not_run, run=how.get(name, "exit 127")))
        (folder / name).chmod(0o755)
    (folder / "activate").touch()
    return folder


def furnish(project: Path) -> None:
    """Put the files in place that the commands name."""
    shutil.copy2(PROJECT / "Makefile", project)
    for clone in ("ucf101", "ucf101-3d-resnet-workflow"):
        (project / clone).symlink_to(project)
    place = project.parent / "path/of"
    write_video(place / "a/folder/video.avi", seed=1)
    shutil.copytree(place / "a/folder", place / "UCF-101/Archery")
    shutil.copy2(place / "a/folder/video.avi", project / "video.mp4")
    files = [place / "UCF101.zip", project / "resources/weights/resnet-18-kinetics.pth"]
    for file in [*files, *(project / f"{name}.pdparams" for name in "abc")]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/zh.md" and blocks(page)])
def test_every_command_of_a_page_works(page, programs, unfinished, with_results):
    for block in blocks(page):
        project = (with_results if "results/" in block else unfinished) / "project"
        places = {"/path/of/": f"{project.parent}/path/of/", "<clone>": f"{project}", **PLACEHOLDERS}
        for placeholder, place in places.items():
            block = block.replace(placeholder, place)
        environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=project, env=environment, capture_output=True, text=True
        )
        assert result.returncode == 0, block + result.stdout + result.stderr
