"""What is made by name only: predictions for a folder, a comparison with another run, annotation lists."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

RESULTS = "results/tiny"


def test_the_videos_of_a_folder_are_named_as_in_evaluation(finished):
    rows = pd.read_csv(finished.folder / RESULTS / "split1/seed7/segments/predictions.csv").set_index("video")
    video = finished.folder / "data/tiny/videos/Retreat/v_Retreat_g01_c01.avi"
    (finished.folder / "mine").mkdir()
    shutil.copy(video, finished.folder / "mine")
    (finished.folder / "mine" / "broken.avi").write_text("no video")
    text = finished.fail("predict", "--config", "predict={videos: mine}")
    assert "1 of 2 files have no answer" in text.splitlines()[-1]
    answers = pd.read_csv(finished.folder / RESULTS / "predictions.csv").set_index("video")
    assert answers.loc["mine/broken.avi"].status == "unreadable"
    answer, row = answers.loc["mine/v_Retreat_g01_c01.avi"], rows.loc["v_Retreat_g01_c01"]
    assert answer.top1_class == row.top1_class
    assert abs(answer.top1_probability - row.top1_probability) < 1e-4


def test_comparing_reads_two_runs_whatever_the_settings_and_makes_none(finished):
    shutil.copytree(finished.folder / RESULTS, finished.folder / "results/other")
    before = {path: path.read_bytes() for part in ("results", "data") for path in files(finished.folder / part)}
    elsewhere = ["--config", "run=elsewhere", "seeds=[8]", "train={epochs: 9}"]
    finished.run("results/other/compare_tiny.csv", *elsewhere)
    finished.run("results/tiny/compare_other.csv")
    assert {path: path.read_bytes() for path in before} == before
    assert not (finished.folder / "results/elsewhere/accuracy.csv").exists()
    table = pd.read_csv(finished.folder / "results/tiny/compare_other.csv")
    assert list(table.split.astype(str)) == ["1", "2", "all"]
    assert (table.difference == 0).all()
    assert (table.difference_low < 0).all()
    for settings in (elsewhere, ["--config", "train={epochs: 9}"], []):
        assert finished.would_run("results/tiny/compare_other.csv", *settings) == {}


def test_a_comparison_is_stale_when_the_answers_of_a_run_change(finished):
    shutil.copytree(finished.folder / RESULTS, finished.folder / "results/other")
    finished.run("results/tiny/compare_other.csv")
    predictions = finished.folder / "results/other/split1/seed7/segments/predictions.csv"
    table = pd.read_csv(predictions)
    table.assign(correct=1 - table.correct).to_csv(predictions, index=False)
    assert finished.would_run("results/tiny/compare_other.csv") == {"compare": 1}
    finished.run("results/tiny/compare_other.csv")
    row = pd.read_csv(finished.folder / "results/tiny/compare_other.csv").iloc[0]
    assert row.top1_a == pytest.approx(1 - row.top1_b)


def test_a_run_that_is_not_there_is_named(finished):
    """With the settings at hand it could be trained: it is not, in a dry run and in earnest."""
    shutil.copytree(finished.folder / RESULTS, finished.folder / "results/other")
    for target in ("results/tiny/compare_typo.csv", "results/typo/compare_tiny.csv"):
        for arguments in (["--dry-run"], [], ["--config", "run=typo"]):
            said = finished.fail(target, *arguments)
            assert "there is no run typo to compare: results/typo/accuracy.csv does not exist" in said
            assert "runs that are there: other, tiny." in said
    assert not (finished.folder / "results/typo/accuracy.csv").exists()


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_annotation_lists_name_every_training_video(finished):
    finished.run("export_lists")
    lines = (finished.folder / "results/tiny/annotations/split1_train.txt").read_text().splitlines()
    assert lines[0] == "Approach/v_Approach_g02_c01 20 0"
    assert len(lines) == 9
