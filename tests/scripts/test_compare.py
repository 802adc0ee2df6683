"""compare.py: two runs on the same videos."""

import json
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import compare
from helpers.script_call import call
from helpers.simulated import simulate
from video3d.report import results
from video3d.report.paired_comparison import difference_table


def write_run(folder: Path, answers: dict, protocol: str = "segments", first: int = 1) -> Path:
    """predictions.csv by (split, seed), each video in a group of its own."""
    for (split, seed), correct in answers.items():
        rows = [
            {
                "video": f"v_A_g{100 * split + i}_c01",
                "class": "A",
                "label": 0,
                "group": 100 * split + i,
                "correct": value,
            }
            for i, value in enumerate(correct, first)
        ]
        path = folder / f"split{split}" / f"seed{seed}" / protocol / "predictions.csv"
        path.parent.mkdir(parents=True)
        pd.DataFrame(rows).to_csv(path, index=False)
    listed = [(split, seed, protocol) for split, seed in answers] + [("mean", "mean", protocol)]
    pd.DataFrame(listed, columns=["split", "seed", "protocol"]).to_csv(folder / "accuracy.csv", index=False)
    return folder


def test_splits_and_all_of_them(tmp_path, capsys):
    a = write_run(tmp_path / "a", {(1, 1): [1, 1, 0, 0, 0], (2, 1): [1, 0]})
    b = write_run(tmp_path / "b", {(1, 1): [0, 1, 1, 1, 1], (2, 1): [1, 1]})
    assert call(compare.main, a, b, "--json").returncode == 0
    rows = {row["split"]: row for row in json.loads(capsys.readouterr().out)["comparison"]}
    assert (rows["1"]["top1_a"], rows["1"]["top1_b"]) == (0.4, 0.8)
    assert rows["1"]["difference"] == pytest.approx(0.4)
    assert (rows["1"]["only_a"], rows["1"]["only_b"]) == (1, 3)
    assert rows["1"]["p_value"] == pytest.approx(stats.binomtest(1, 4).pvalue)
    assert (rows["all"]["videos"], rows["all"]["only_b"]) == (7, 4)
    assert rows["all"]["p_value"] == pytest.approx(stats.binomtest(1, 5).pvalue)


def test_seeds_are_averaged_by_video(tmp_path):
    a = write_run(tmp_path / "a", {(1, 1): [1, 0], (1, 2): [0, 0]})
    b = write_run(tmp_path / "b", {(1, 1): [1, 1]})
    row = compare.compare_runs(a, b).iloc[0]
    assert (row["top1_a"], row["top1_b"], row["seeds_a"], row["seeds_b"]) == (0.25, 1, 2, 1)


def test_only_shared_videos_are_compared_and_it_is_said(tmp_path):
    a = write_run(tmp_path / "a", {(1, 1): [1, 1, 1]})
    b = write_run(tmp_path / "b", {(1, 1): [1, 1, 1]}, first=2)
    result = call(compare.main, a, b, "--csv", "--output", tmp_path / "comparison.csv")
    assert "segments: 2 videos are in one run only and left out" in result.stderr
    assert pd.read_csv(tmp_path / "comparison.csv")["videos"].tolist() == [2, 2]


def test_predictions_of_former_settings_do_not_count(tmp_path):
    write_run(tmp_path / "a", {(1, 1): [0, 0]})
    a = write_run(tmp_path / "a", {(1, 2): [1, 0]})  # seeds: [2] instead of [1]
    b = write_run(tmp_path / "b", {(1, 1): [1, 1]})
    row = compare.compare_runs(a, b).iloc[0]
    assert (row["top1_a"], row["seeds_a"]) == (0.5, 1)


def test_runs_of_other_classes_are_not_compared(tmp_path):
    a = write_run(tmp_path / "a", {(1, 1): [1, 1, 1]})
    b = write_run(tmp_path / "b", {(1, 1): [1, 1, 1]})
    path = b / "split1/seed1/segments/predictions.csv"
    pd.read_csv(path).assign(label=[0, 0, 1]).to_csv(path, index=False)
    assert "tell other classes apart (dataset: classes:)" in call(compare.main, a, b).stderr


def test_a_run_equals_itself(tmp_path):
    a = write_run(tmp_path / "a", {(1, 1): [1, 0, 1]})
    table = compare.compare_runs(a, a)
    assert table["p_value"].tolist() == [1, 1]
    assert table["difference"].tolist() == [0, 0]
    assert (table["difference_low"] < 0).all()
    assert (table["difference_high"] > 0).all()


def test_the_report_shows_the_same_difference_and_interval(tmp_path):
    small = {"classes": 5, "splits": (1, 2), "seeds": (1, 2)}
    b = simulate(tmp_path, run="b", **small)
    a = simulate(tmp_path, run="a", skill=-0.1, **small)
    compared = compare.compare_runs(a, b).query("split == 'all'").reset_index()
    shown = difference_table(results.read_run(b), [results.read_run(a)])
    assert list(shown["protocol"]) == list(compared["protocol"]) == ["segments", "sliding"]
    for column, here in (("difference",) * 2, ("low", "difference_low"), ("high", "difference_high"), ("videos",) * 2):
        assert list(shown[column]) == list(compared[here]), column


def test_runs_without_anything_in_common(tmp_path):
    a = write_run(tmp_path / "a", {(1, 1): [1]})
    b = write_run(tmp_path / "b", {(1, 1): [1]}, protocol="sliding")
    assert "have no protocol and test video in common" in call(compare.main, a, b).stderr
    assert "give results/<run> of a finished run" in call(compare.main, a, tmp_path / "none").stderr


def test_videos_that_a_run_was_trained_on_are_counted_and_said(tmp_path):
    a = write_run(tmp_path / "a", {(1, 1): [1, 0, 1], (1, 2): [1, 0, 1]})
    b = write_run(tmp_path / "b", {(1, 1): [1, 1, 1]})
    known = {  # per video; a's third video is known to both of its seeds, and counts once
        a / "split1/seed1": ([0, 0, 1], [0, 1, 1]),
        a / "split1/seed2": ([1, 0, 1], [1, 0, 1]),
        b / "split1/seed1": ([0, 0, 0], [0, 0, 0]),
    }
    for folder, (videos, groups) in known.items():
        path = folder / "segments/predictions.csv"
        pd.read_csv(path).assign(trained_on=videos, group_trained_on=groups).to_csv(path, index=False)
    result = call(compare.main, a, b, "--csv", "--output", tmp_path / "comparison.csv")
    counts = ["trained_on_a", "trained_on_b", "group_trained_on_a", "group_trained_on_b"]
    assert pd.read_csv(tmp_path / "comparison.csv")[counts].values.tolist() == [[2, 0, 3, 0]] * 2
    assert f"NOT A TEST: {a} was trained on 2 and on the groups (recordings) of 3 of the 3 videos" in result.stderr
    assert f"{b} " not in result.stderr


def test_unknown_training_data_are_no_number_and_said(tmp_path, capsys):
    a = write_run(tmp_path / "a", {(1, 1): [1, 0]})
    b = write_run(tmp_path / "b", {(1, 1): [1, 1]})
    path = b / "split1/seed1/segments/predictions.csv"
    pd.read_csv(path).assign(trained_on=[0, 0], group_trained_on=[0, 0]).to_csv(path, index=False)
    result = call(compare.main, a, b, "--json")
    row = json.loads(capsys.readouterr().out)["comparison"][0]
    assert (row["trained_on_a"], row["trained_on_b"]) == (None, 0)
    assert f"The training data of {a} are unknown" in result.stderr
    assert f"training data of {b}" not in result.stderr
