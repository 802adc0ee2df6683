"""accuracy.py: a row per evaluation and the means, against values worked out by hand."""

import json
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import accuracy
from helpers.script_call import call
from video3d.evaluation.metrics import SCORES

CLASSES = ["Archery", "Biking"]


def write_evaluation(run: Path, split: int, seed: int, correct: list[int], protocol: str = "segments") -> Path:
    """An evaluation of as many videos, each in a group of its own."""
    folder = run / f"split{split}" / f"seed{seed}" / protocol
    folder.mkdir(parents=True)
    rows = [
        {"video": f"v_{CLASSES[i % 2]}_g{10 * split + i // 2:02d}_c01", "group": 10 * split + i // 2, "label": i % 2,
         "correct": value}
        for i, value in enumerate(correct)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "predictions.csv", index=False)
    value = sum(correct) / len(correct)
    scores = {name: {"value": value, "low": value - 0.1, "high": value + 0.1} for name in SCORES}
    classes = [{"class": name} for name in CLASSES]
    metrics = {"videos": len(correct), "scores": scores, "classes": classes}
    metrics["weights"] = {"origin": "trained", "test_videos_trained_on": 0}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder / "metrics.json"


def table(tmp_path: Path, metrics: list[Path], *more: object) -> pd.DataFrame:
    result = call(accuracy.main, "--metrics", *metrics, *more, "--output", tmp_path / "accuracy.csv")
    assert result.returncode == 0, result.stderr
    return pd.read_csv(tmp_path / "accuracy.csv").set_index(["split", "seed", "protocol"])


def test_mean_of_splits_and_seeds(tmp_path):
    metrics = [
        write_evaluation(tmp_path, 1, 7, [1, 1, 1, 1]),
        write_evaluation(tmp_path, 1, 8, [1, 1, 0, 0]),
        write_evaluation(tmp_path, 2, 7, [1, 0]),
        write_evaluation(tmp_path, 2, 8, [0, 0]),
    ]
    result = table(tmp_path, metrics)
    assert list(result.index)[:4] == [(str(s), str(n), "segments") for s in (1, 2) for n in (7, 8)]
    mean = result.loc[("mean", "mean", "segments")]
    assert mean["top1"] == pytest.approx(((1 + 0.5) / 2 + (0.5 + 0) / 2) / 2)
    assert mean["videos"] == 6
    # Two values half apart, either way: seed 7: (1 + 0.5) / 2, seed 8: (0.5 + 0) / 2; split 1: 0.75, split 2: 0.25.
    assert mean["top1_std_seeds"] == pytest.approx(0.5 / 2**0.5, abs=1e-6)
    assert mean["top1_std_splits"] == pytest.approx(0.5 / 2**0.5, abs=1e-6)
    assert result.drop("mean")[["top1_std_seeds", "top1_std_splits"]].isna().all(axis=None)
    assert mean["top1_low"] < mean["top1"] < mean["top1_high"]
    assert result.loc[("1", "8", "segments"), "top1_low"] == pytest.approx(0.4)


def test_standard_deviations_over_seeds_and_over_splits_are_told_apart(tmp_path):
    values = {(1, 7): [1, 1, 1, 1], (1, 8): [1, 1, 1, 0], (2, 7): [1, 0], (2, 8): [1, 0]}
    mean = table(tmp_path, [write_evaluation(tmp_path, *key, value) for key, value in values.items()]).loc["mean"]
    assert mean["top1_std_seeds"].item() == pytest.approx(0.125 / 2**0.5, abs=1e-6)  # 0.75 and 0.625
    assert mean["top1_std_splits"].item() == pytest.approx(0.375 / 2**0.5, abs=1e-6)  # 0.875 and 0.5


def test_one_seed_has_no_deviation_and_one_split_keeps_its_interval(tmp_path):
    result = table(tmp_path, [write_evaluation(tmp_path, 1, 7, [1, 0, 1, 1])])
    assert result[["top1_std_seeds", "top1_std_splits"]].isna().all(axis=None)
    mean = result.loc[("mean", "mean", "segments")]
    exact = stats.binomtest(3, 4).proportion_ci(method="exact")
    assert mean["top1"] == 0.75
    assert (mean["top1_low"], mean["top1_high"]) == pytest.approx((exact.low, exact.high), abs=1e-6)


def test_splits_in_which_everything_is_right(tmp_path):
    """Splits of 4 and 2 groups count alike: a group weighs 1/8 or 1/4, as much as 1 / (4/64 + 2/16) videos."""
    metrics = [write_evaluation(tmp_path, 1, 7, [1, 1, 1, 1]), write_evaluation(tmp_path, 2, 7, [1, 1])]
    mean = table(tmp_path, metrics).loc[("mean", "mean", "segments")]
    assert (mean["top1_low"], mean["top1_high"]) == (pytest.approx(0.025 ** (3 / 16), abs=1e-6), 1)


def test_protocols_are_kept_apart(tmp_path):
    metrics = [write_evaluation(tmp_path, 1, 7, [1, 1]), write_evaluation(tmp_path, 1, 7, [0, 0], "sliding")]
    result = table(tmp_path, metrics)
    assert result.loc[("mean", "mean", "segments"), "top1"] == 1
    assert result.loc[("mean", "mean", "sliding"), "top1"] == 0


def test_videos_left_out_are_counted(tmp_path):
    tested = ["v_Archery_g10_c01", "v_Biking_g10_c01", "v_Biking_g11_c01", "v_Bowling_g10_c01"]
    lines = [f"{name},{name.split('_')[1]},10,test" for name in tested]
    lines += ["v_Archery_g01_c01,Archery,1,train"]
    (tmp_path / "videos.csv").write_text("\n".join(["video,class,group,split1", *lines]))
    result = table(tmp_path, [write_evaluation(tmp_path, 1, 7, [1, 1])], "--videos", tmp_path / "videos.csv")
    assert result["left_out"].tolist() == [1, 1]  # g11 of Biking; Bowling is none of the model's classes


def test_seeds_that_are_not_in_every_split(tmp_path):
    metrics = [write_evaluation(tmp_path, 1, 7, [1]), write_evaluation(tmp_path, 2, 8, [1])]
    result = call(accuracy.main, "--metrics", *metrics, "--output", tmp_path / "accuracy.csv")
    assert "not every split was evaluated with every seed" in result.stderr
    assert not (tmp_path / "accuracy.csv").exists()


def test_predictions_of_another_evaluation(tmp_path):
    metrics = write_evaluation(tmp_path, 1, 7, [1, 0])
    write_evaluation(tmp_path / "other", 1, 7, [1, 1])
    (tmp_path / "other/split1/seed7/segments/predictions.csv").rename(metrics.with_name("predictions.csv"))
    result = call(accuracy.main, "--metrics", metrics, "--output", tmp_path / "accuracy.csv")
    assert "are of different evaluations; evaluate again" in result.stderr


def test_damaged_metrics(tmp_path):
    metrics = write_evaluation(tmp_path, 1, 7, [1, 0])
    metrics.write_text("{")
    result = call(accuracy.main, "--metrics", metrics, "--output", tmp_path / "accuracy.csv")
    assert "cannot read the evaluation" in result.stderr
