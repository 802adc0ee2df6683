"""Simulated results and the reports made of them; a browser of two sizes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import overview
from helpers import browser
from helpers.paths import PROJECT
from helpers.script_call import call
from helpers.simulated import HOSTILE, draw_figures, simulate

SIZES = ((1280, 720), (1920, 1080))


@pytest.fixture(scope="session")
def full_size_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated run as large as UCF101: 101 classes, 3 splits, 3 seeds."""
    return simulate(tmp_path_factory.mktemp("full_size"))


@pytest.fixture(scope="session")
def full_size(full_size_run: Path) -> Path:
    """Its figures."""
    return draw_figures(full_size_run.parents[1])


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figures of a simulated run with 5 classes, one split evaluated with given weights, beside another run."""
    folder = tmp_path_factory.mktemp("compared")
    small = {"classes": 5, "seeds": (1,), "protocols": ("segments",)}
    simulate(folder, run="other", skill=-0.1, **small)
    simulate(folder, compare=("other",), given_weights={2: "given.pdparams"}, **small)
    return draw_figures(folder)


@pytest.fixture(scope="session")
def overview_page(compared: Path) -> Path:
    """The page of both runs beside each other."""
    page = compared.parents[1] / "overview.html"
    drawn = call(overview.main, compared.parents[1], "--page", page)
    assert drawn.returncode == 0, drawn.stderr
    return page


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figures of a simulated run whose note, paths and file of weights are made of what HTML and JSON are made of."""
    folder = tmp_path_factory.mktemp("hostile")
    weights = f"{HOSTILE.replace('/', '')}.pdparams"
    (folder / weights).touch()
    results = simulate(folder, classes=5, seeds=(1,), protocols=("segments",), given_weights={2: weights})
    settings = yaml.safe_load((results / "config.yaml").read_text())
    settings["report"]["note"] = HOSTILE
    settings["dataset"]["lists"] = [HOSTILE, *settings["dataset"]["lists"]]
    (results / "config.yaml").write_text(yaml.safe_dump(settings))
    return draw_figures(folder)


@pytest.fixture(scope="session")
def hostile_snakemake_report(hostile: Path) -> Path:
    """What `snakemake --report` makes of it."""
    return make_snakemake_report(hostile.parents[2])


@pytest.fixture(scope="session")
def snakemake_report(full_size: Path) -> Path:
    """What `snakemake --report` makes of the simulated run of full size, with the project's own rules."""
    return make_snakemake_report(full_size.parents[2])


def make_snakemake_report(folder: Path) -> Path:
    """Report on the simulated run below `folder`, where links make the project's files appear."""
    for name in ("Snakefile", "config.yaml", "rules", "report", "schemas", "workflow_scripts", "envs", "profiles"):
        (folder / name).symlink_to(PROJECT / name)
    command = [
        sys.executable, "-m", "snakemake", "results/simulated/figures/report.html", "--configfile",
        "results/simulated/config.yaml", "--report", "report_of_simulated.html",
    ]  # fmt: skip
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | {"LANG": "C.UTF-8"})
    assert result.returncode == 0, result.stderr
    return folder / "report_of_simulated.html"


@pytest.fixture(scope="session")
def opened_browser() -> Iterator[browser.Browser]:
    """A browser for all tests; skipped where none is installed."""
    if reason := browser.missing():
        pytest.skip(reason)
    with browser.browser(*SIZES[0]) as opened:
        yield opened


@pytest.fixture(params=SIZES, ids="{0[0]}x{0[1]}".format)
def screen(request: pytest.FixtureRequest, opened_browser: browser.Browser) -> browser.Browser:
    """The browser with a page of each size."""
    opened_browser.resize(*request.param)
    return opened_browser
