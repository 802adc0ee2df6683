"""The whole workflow on the tiny data set, and the files that it promises."""

import json
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from helpers.paths import PROJECT
from helpers.tiny_project import CLASSES

RESULTS = "results/tiny"


def test_every_promised_file_is_there(finished_project):
    for name in [
        "resources/tiny/ucfTrainTestlist/classInd.txt",
        "data/tiny/videos/HandstandPushups/v_HandStandPushups_g01_c01.avi",
        "data/tiny/frames/24px_q80/Approach.zip",
        "data/tiny/frames/24px_q80/Approach.csv",
        "results/tiny/audit.csv",
        "results/tiny/splits/split1.csv",
        f"{RESULTS}/config.yaml",
        f"{RESULTS}/split1/seed7/weights.pdparams",
        f"{RESULTS}/split1/seed7/weights.json",
        f"{RESULTS}/split1/seed7/history.csv",
        f"{RESULTS}/split1/seed7/model/model.json",
        f"{RESULTS}/split1/seed7/segments/predictions.csv",
        f"{RESULTS}/split1/seed7/segments/metrics.json",
        f"{RESULTS}/accuracy.csv",
    ]:
        assert (finished_project / name).is_file(), name


def test_split_tables_follow_the_official_lists(finished_project):
    table = pd.read_csv(finished_project / "results/tiny/splits/split2.csv")
    assert list(table.columns[:6]) == ["video", "class", "label", "group", "subset", "frames"]
    assert set(table[table.subset == "test"].group) == {2}
    assert set(table[table.subset == "train"].group) == {1, 3, 4}
    assert dict(zip(table["class"], table.label, strict=True)) == {name: i for i, name in enumerate(CLASSES)}
    assert (table.frames == 20).all()


def test_every_test_video_is_predicted_once(finished_project):
    for split in (1, 2):
        table = pd.read_csv(finished_project / f"results/tiny/splits/split{split}.csv")
        rows = pd.read_csv(finished_project / f"{RESULTS}/split{split}/seed7/segments/predictions.csv")
        assert sorted(rows.video) == sorted(table[table.subset == "test"].video)


def test_accuracy_agrees_with_the_predictions(finished_project):
    accuracy = pd.read_csv(finished_project / f"{RESULTS}/accuracy.csv", dtype={"split": str})
    for split in ("1", "2"):
        rows = pd.read_csv(finished_project / f"{RESULTS}/split{split}/seed7/segments/predictions.csv")
        expected = (rows.label == rows.predicted_label).mean()
        found = accuracy[(accuracy.split == split) & (accuracy.protocol == "segments")].top1
        assert found.tolist() == pytest.approx([expected])
    mean = accuracy[accuracy.split == "mean"].top1
    assert mean.tolist() == pytest.approx([accuracy[accuracy.split != "mean"].top1.mean()])


def test_resolved_settings_are_kept_and_valid(finished_project):
    settings = yaml.safe_load((finished_project / f"{RESULTS}/config.yaml").read_text())
    assert settings["model"]["width"] == 2
    assert settings["train"]["momentum"] == 0.9


def test_a_script_takes_the_resolved_settings(finished_project, tmp_path):
    script = [sys.executable, "workflow_scripts/make_splits.py", "--split", "1", "--audit", "results/tiny/audit.csv"]
    paths = ["--videos", "data/tiny/videos.csv", "--settings", f"{RESULTS}/config.yaml"]
    subprocess.run([*script, *paths, "--output", tmp_path / "split1.csv"], cwd=finished_project, check=True)
    assert (tmp_path / "split1.csv").read_bytes() == (finished_project / "results/tiny/splits/split1.csv").read_bytes()


def test_weights_say_where_they_come_from(finished_project):
    metadata = json.loads((finished_project / f"{RESULTS}/split1/seed7/weights.json").read_text())
    assert metadata["labels"] == CLASSES


def test_the_whole_of_ucf101_is_planned_before_anything_is_downloaded(fresh):
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules"]
    text = subprocess.run(command, cwd=fresh.folder, check=True, capture_output=True, text=True)
    counts = dict(line.split() for line in (text.stdout + text.stderr).splitlines() if len(line.split()) == 2)
    expected = {"extract_frames": 101, "make_splits": 3, "train": 3, "export": 3, "evaluate": 3, "unpack": 1}
    expected |= {"download_videos": 1, "download_splits": 1, "audit": 1, "accuracy": 1, "figures": 1}
    assert {rule: int(counts[rule]) for rule in expected} == expected


def test_lint_finds_nothing():
    text = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    assert "Congratulations" in text.stdout + text.stderr
