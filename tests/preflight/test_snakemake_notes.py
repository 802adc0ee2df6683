"""What this workflow changes in the way in which Snakemake keeps its notes."""

import threading
from types import SimpleNamespace

import pytest
from snakemake.exceptions import LockException

from video3d.preflight.snakemake_notes import LookedAtNotes, OwnNotes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".snakemake"


def notes(kind, monkeypatch, makes):
    """Notes of a run that makes a file."""
    monkeypatch.setattr(kind, "all_inputfiles", lambda self: [])
    monkeypatch.setattr(kind, "all_outputfiles", lambda self: self.makes)
    made = kind(dag=SimpleNamespace(workflow=SimpleNamespace(dag_settings=SimpleNamespace(max_checksum_file_size=0))))
    made.makes = [makes]
    return made


def test_a_run_that_ends_leaves_the_locks_of_another(folder, monkeypatch):
    first, second = notes(OwnNotes, monkeypatch, "a"), notes(OwnNotes, monkeypatch, "b")
    with first.lock():
        with second.lock():
            assert len(list((folder / "locks").iterdir())) == 2
        assert [path.read_text() for path in (folder / "locks").iterdir()] == ["a\n"]
        with pytest.raises(LockException), notes(OwnNotes, monkeypatch, "a").lock():
            pass
    assert not list((folder / "locks").iterdir())


def test_of_runs_that_start_at_the_same_moment_one_gets_the_files(folder, monkeypatch):
    runs = [notes(OwnNotes, monkeypatch, "a") for _ in range(4)]
    together, refused, done = threading.Barrier(4), [], threading.Event()

    def start(run):
        together.wait()
        try:
            with run.lock():
                done.wait(20)
        except LockException:
            refused.append(run)
            if len(refused) == 3:
                done.set()

    threads = [threading.Thread(target=start, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3


def test_who_only_looks_reads_the_notes_and_writes_nothing(folder, monkeypatch):
    kept = notes(OwnNotes, monkeypatch, "a")
    (folder / "metadata/b").write_text("noted")
    with kept.lock():
        before = sorted(folder.rglob("*"))
        looked = notes(LookedAtNotes, monkeypatch, "a")
        assert looked.locked
        assert (looked.path / "metadata/b").read_text() == "noted"
        looked.cleanup_locks()
        (looked.path / "iocache/latest.pkl").write_text("a dry run writes this")
        assert sorted(folder.rglob("*")) == before


def test_who_only_looks_at_a_new_folder_makes_none(folder, monkeypatch):
    assert not notes(LookedAtNotes, monkeypatch, "a").locked
    assert not folder.exists()
