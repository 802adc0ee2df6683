"""What a comparison of two runs reads: it is named if it is not there, and noticed if it changes."""

from pathlib import Path

import pytest

from video3d.common.errors import UserError
from video3d.preflight.compared_runs import version_of_answers


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Two runs with an accuracy and predictions each."""
    monkeypatch.chdir(tmp_path)
    for run in ("one", "two"):
        folder = tmp_path / "results" / run / "split1/seed1/segments"
        folder.mkdir(parents=True)
        (folder / "predictions.csv").write_text("video,correct\n")
        (tmp_path / "results" / run / "accuracy.csv").write_text("split,top1\n")
    return tmp_path / "results"


@pytest.mark.parametrize("file", ["one/accuracy.csv", "two/split1/seed1/segments/predictions.csv"])
def test_another_answer_gives_another_version(results, file):
    before = version_of_answers(Path("results"), ("one", "two"))
    assert version_of_answers(Path("results"), ("one", "two")) == before
    with (results / file).open("a") as text:
        text.write("another line\n")
    assert version_of_answers(Path("results"), ("one", "two")) != before


def test_a_run_that_is_not_there_is_named_with_those_that_are(results):
    with pytest.raises(UserError, match=r"no run typo to compare: results/typo/accuracy.csv .* there: one, two\. A"):
        version_of_answers(Path("results"), ("one", "typo"))
