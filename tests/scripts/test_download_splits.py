import hashlib
import subprocess
import sys

import pytest

from download_splits import fetch_lists
from helpers.paths import PROJECT
from helpers.unreliable_server import Fault, running
from helpers.zip_files import make_zip
from video3d.common.errors import UserError
from video3d.fetch import http_session

LISTS = {
    "classInd.txt": b"1 Punch\r\n",
    "trainlist01.txt": b"Punch/v_Punch_g02_c01.avi 1\r\n",
    "testlist01.txt": b"Punch/v_Punch_g01_c01.avi\r\n",
}


ARCHIVE = make_zip({f"ucfTrainTestlist/{name}": content for name, content in LISTS.items()} | {"README": b"read me"})


@pytest.fixture
def output(tmp_path):
    return tmp_path / "resources" / "ucfTrainTestlist"


def contents(output):
    assert [path.name for path in output.parent.iterdir()] == [output.name], "nothing else is left"
    return {path.name: path.read_bytes() for path in output.iterdir()}


def failure(sources, output, checksum=None):
    with pytest.raises(UserError) as error:
        fetch_lists(sources, checksum, output)
    assert not (output.parent.exists() and any(output.parent.iterdir()))
    return str(error.value)


def test_from_a_url(output, monkeypatch):
    monkeypatch.setattr(http_session, "FIRST_PAUSE", 0.01)
    with running() as server:
        url, _ = server.serve("lists.zip", ARCHIVE, faults=[Fault(cut=100), Fault(status=500)])
        fetch_lists([server.url("absent.zip"), url], hashlib.sha256(ARCHIVE).hexdigest(), output)
        assert contents(output) == LISTS
        output.rename(output.with_name("elsewhere"))
        output.with_name("elsewhere").rename(output.parents[1] / "elsewhere")
        assert "SHA-256" in failure([url], output, "0" * 64)
        assert "dataset.lists_sha256" in failure([url], output)


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_from_a_file(output, tmp_path, form):
    (tmp_path / "lists.zip").write_bytes(ARCHIVE)
    fetch_lists([form.format(tmp_path / "lists.zip")], None, output)
    assert contents(output) == LISTS


@pytest.mark.parametrize("inside", ["", "ucfTrainTestlist"])
def test_from_a_folder(output, tmp_path, inside):
    folder = tmp_path / "mine" / inside
    folder.mkdir(parents=True)
    for name, content in LISTS.items():
        (folder / name).write_bytes(content)
    (folder / "notes.txt").touch()
    fetch_lists([str(tmp_path / "mine")], None, output)
    assert contents(output) == LISTS


def test_the_official_lists_are_not_changed(output, official_lists):
    fetch_lists([str(official_lists)], None, output)
    assert len(contents(output)) == 7
    assert contents(output) == {path.name: path.read_bytes() for path in official_lists.glob("*list*.txt")} | {
        "classInd.txt": (official_lists / "classInd.txt").read_bytes()
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (make_zip({"classInd.txt": b"1 Punch"}), "does not hold testlist01.txt, trainlist01.txt"),
        (make_zip(LISTS | {"copy/classInd.txt": b""}), "holds classInd.txt twice"),
        (make_zip(LISTS | {"trainlist02.txt": bytes(11 << 20)}), "too large for a list"),
        (ARCHIVE[:-30], "not a whole ZIP"),
        (b"<html>", "not a whole ZIP"),
    ],
    ids=["incomplete", "ambiguous", "too large", "cut", "no archive"],
)
def test_bad_archives_leave_nothing(output, tmp_path, content, message):
    (tmp_path / "lists.zip").write_bytes(content)
    assert message in failure([str(tmp_path / "lists.zip")], output)


def test_the_command_line_with_checksums_that_other_tools_check(output, tmp_path):
    (tmp_path / "lists.zip").write_bytes(ARCHIVE)
    script = PROJECT / "workflow_scripts" / "download_splits.py"
    command = [sys.executable, script, "--source", tmp_path / "lists.zip", "--sha256", "", "--output", output]
    subprocess.run([*command, "--checksums", tmp_path / "lists.sha256"], check=True, capture_output=True)
    assert contents(output) == LISTS
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", tmp_path / "lists.sha256"], cwd=output, capture_output=True, text=True
    )
    assert checked.stdout.splitlines() == [f"{name}: OK" for name in sorted(LISTS)]
