"""Where the tests find the real clips, the official lists and the golden values.

Absent data skips a test, with the reason.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import video3d  # noqa: F401  sets the number of threads before a test imports NumPy
from helpers.paths import PROJECT

pytest_plugins = ["helpers.projects"]


def shared_data(name: str) -> Path:
    """`name` in $UCF101_MINI, beside it, or in ../shared/data; skips the test if it is in none of them."""
    given = os.environ.get("UCF101_MINI")
    folders = [Path(given), Path(given).parent] if given else []
    for folder in [*folders, PROJECT.parent / "shared" / "data"]:
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"needs {name}: not in $UCF101_MINI, beside it, or in ../shared/data")


@pytest.fixture(scope="session")
def ucf101_mini() -> Path:
    """The folder with 75 real clips: UCF-101/<Class>/<video>.avi and ucfTrainTestlist/."""
    given = os.environ.get("UCF101_MINI")
    if given and (Path(given) / "UCF-101").is_dir():
        return Path(given)
    return shared_data("ucf101-mini")


@pytest.fixture(scope="session")
def official_lists() -> Path:
    """The folder of the official lists of all 101 classes."""
    lists = shared_data("ucfTrainTestlist")
    if (lists / "classInd.txt").read_text().count("\n") < 101:  # the lists inside ucf101-mini have three classes
        lists = shared_data("../ucfTrainTestlist")
    return lists


@pytest.fixture(scope="session")
def golden() -> dict:
    """Logits, tensor names and losses of the published networks."""
    return json.loads((shared_data("golden") / "networks.json").read_text())


@pytest.fixture
def start_python(tmp_path):
    """Start code that imports the library in processes of their own, which end with the test at the latest."""
    started = []

    def start(code: str, *arguments: str, within: Sequence[str] = (), **variables: str) -> subprocess.Popen:
        """Start `code` with command line and environment, in the test's folder, as an argument of `within`."""
        process = subprocess.Popen(
            [*within, sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow_scripts")} | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
