"""What is said last about a job that did not succeed."""

import pytest

from video3d.common.last_words import end_of_job, name_of_job, sudden_end_of_job


def test_a_job_is_called_as_people_call_it():
    assert name_of_job("train", {"split": "1", "seed": "7"}) == "train (split 1, seed 7)"
    assert name_of_job("audit", {}) == "audit"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("epoch 1\nerror: no space\nleft: at all\n", "error in audit: no space\nleft: at all (log: {log})"),
        ("error: the first\nerror: the last\n", "error in audit: the last (log: {log})"),
        ("interrupted: the training is saved\n", "interrupted in audit: the training is saved"),
        ("an error: in the middle of a line\n", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_words_of_the_script_that_ended_count(tmp_path, log, said):
    path = tmp_path / "audit.log"
    if log is not None:
        path.write_text(log)
    assert end_of_job("audit", path) == said.format(log=path)


def test_a_job_that_could_not_say_more_is_told_of_by_its_last_line(tmp_path):
    path = tmp_path / "audit.log"
    path.write_text("one\ntwo\n \n")
    assert sudden_end_of_job("audit", path) == f"error in audit: it ended after 'two' (log: {path})"


@pytest.mark.parametrize("log", ["\n", None])
def test_a_job_that_said_nothing_at_all(tmp_path, monkeypatch, log):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "audit.log"
    if log is not None:
        path.write_text(log)
    said = f"error in audit: it ended without a word in its log, {path}"
    assert sudden_end_of_job("audit", path) == said
    on_a_cluster = sudden_end_of_job("audit", path, on_a_cluster=True)
    assert on_a_cluster.startswith(said + ". ") and f"every node must see {tmp_path} under this path" in on_a_cluster
