import os

import pytest

from video3d.common.errors import UserError
from video3d.preflight.other_runs import hint, require_own_files


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of two finished runs, `modern` the later one, and one that has only begun."""
    monkeypatch.chdir(tmp_path)
    for number, run in enumerate(("demo", "modern")):
        settings = tmp_path / "results" / run / "config.yaml"
        settings.parent.mkdir(parents=True)
        settings.touch()
        os.utime(settings, (number, number))
    (tmp_path / "results/begun").mkdir()
    return (tmp_path / "results").relative_to(tmp_path)


def test_a_call_that_begins_a_run_beside_others_is_told_how_to_go_on_with_one(results):
    expected = "this call begins the run reference, by config.yaml; finished runs: modern, demo. "
    assert hint("reference", results) == expected + (
        "To go on with one of them: --configfile results/modern/config.yaml"
    )


def test_a_run_that_has_begun_or_is_the_first_is_told_nothing(results, tmp_path):
    assert hint("begun", results) == hint("demo", results) == hint("reference", tmp_path / "empty") == ""


def test_files_of_another_run_are_not_asked_of_these_settings(results):
    require_own_files(["results/reference/accuracy.csv", "report", "data/x"], "reference", results)
    require_own_files(["results/demo/compare_modern.csv"], "reference", results)
    with pytest.raises(
        UserError, match=r"results/demo/accuracy\.csv is a file of the run demo.*of reference; finished"
    ):
        require_own_files(["results/demo/accuracy.csv"], "reference", results)
