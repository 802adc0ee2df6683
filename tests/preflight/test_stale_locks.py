"""Locks of runs that were killed on this machine are removed, and no others."""

import json
import os
import socket

import psutil
import pytest

from video3d.preflight.stale_locks import claim_folder, release_stale_locks

LIVING = [socket.gethostname(), os.getpid(), psutil.Process().create_time()]
KILLED = [socket.gethostname(), os.getpid(), 0]  # the number came again, with another time
UNKNOWN = [socket.gethostname(), 2**22 + 1, 0]  # no Linux process has such a number
ELSEWHERE = ["another host", os.getpid(), 0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a lock, as Snakemake leaves it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("owners", "released"),
    [
        ([], False),
        ([KILLED], True),
        ([UNKNOWN], True),
        ([LIVING], False),
        ([ELSEWHERE], False),
        ([KILLED, LIVING], False),
        ([KILLED, UNKNOWN], True),
    ],
)
def test_locks_are_released_when_no_owner_can_be_alive(folder, owners, released):
    (folder / ".snakemake/owners").mkdir()
    for number, owner in enumerate(owners):
        (folder / f".snakemake/owners/{number}.json").write_text(json.dumps(owner))
    release_stale_locks()
    assert (folder / ".snakemake/locks/0.output.lock").exists() is not released
    assert len(list((folder / ".snakemake/owners").iterdir())) == (0 if released else len(owners))


def test_who_claims_a_folder_keeps_its_locks(folder):
    claim_folder()
    (owner,) = (folder / ".snakemake/owners").iterdir()
    assert json.loads(owner.read_text()) == LIVING
    release_stale_locks()
    assert (folder / ".snakemake/locks/0.output.lock").exists() and owner.exists()
