"""evaluate.py: one row per test video, scores that follow from the rows, clear errors."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

import evaluate
from helpers.exported import CLASSES, write_model
from helpers.script_call import call
from helpers.tiny_packs import write_dataset

OUTPUTS = ("predictions.csv", "metrics.json", "probabilities.npz")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A model, and four test videos of each of three classes."""
    folder = tmp_path_factory.mktemp("project")
    write_model(folder / "model")
    return write_dataset(folder, CLASSES, videos=4, frames=9, subset="test")


def run(project: Path, out: Path, *more: object, protocol: str = "segments", settings: str = "{}"):
    """Call the script with output files in `out`."""
    arguments = {
        "--model": project / "model", "--split-table": project / "split1.csv", "--frames": project / "frames",
        "--protocol": protocol, "--settings": settings, "--device": "cpu",
        "--predictions": out / OUTPUTS[0], "--metrics": out / OUTPUTS[1], "--probabilities": out / OUTPUTS[2],
    }  # fmt: skip
    arguments |= dict(zip(more[::2], more[1::2], strict=True))
    return call(evaluate.main, *(word for pair in arguments.items() for word in pair))


@pytest.mark.parametrize(("protocol", "clips"), [("segments", 1), ("sliding", 3), ("uniform", 4)])
def test_scores_follow_from_the_rows(project, tmp_path, protocol, clips):
    result = run(project, tmp_path, protocol=protocol, settings='{"evaluate": {"uniform": {"clips": 2}}}')
    assert result.returncode == 0, result.stderr
    table = pd.read_csv(tmp_path / "predictions.csv")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    arrays = np.load(tmp_path / "probabilities.npz")
    assert len(table) == metrics["videos"] == 12
    assert table["video"].is_unique
    assert (table["clips"] == clips).all()
    assert metrics["clips"] == 12 * clips
    labels, probabilities = arrays["labels"], arrays["probabilities"]
    assert probabilities.dtype == np.float32
    assert list(arrays["videos"]) == list(table["video"])
    assert (probabilities.argmax(1) == table["predicted_label"]).all()
    assert [CLASSES[label] for label in table["predicted_label"]] == list(table["top1_class"])
    np.testing.assert_allclose(table["top1_probability"], probabilities.max(1), atol=1e-6)
    assert (table["correct"] == (table["label"] == table["predicted_label"])).all()
    values = {name: score["value"] for name, score in metrics["scores"].items()}
    assert values["top1"] == pytest.approx(sklearn_metrics.accuracy_score(labels, probabilities.argmax(1)))
    assert metrics["confusion_matrix"] == sklearn_metrics.confusion_matrix(labels, probabilities.argmax(1)).tolist()
    assert all(score["low"] <= score["value"] <= score["high"] for score in metrics["scores"].values())
    assert metrics["protocol"] == protocol
    assert "centre crop, 16×16 pixels" in metrics["protocol_description"]
    assert metrics["engine"] == "onednn"
    assert [entry["videos"] for entry in metrics["classes"]] == [4, 4, 4]


def test_columns(project, tmp_path):
    run(project, tmp_path)
    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert header == (
        "video,group,label,class,predicted_label,predicted_class,correct,clips,trained_on,group_trained_on,"
        "top1_class,top1_probability,top2_class,top2_probability,top3_class,top3_probability"
    )


def test_batch_size_and_threads_change_nothing(project, tmp_path):
    tables = []
    for batch_size, threads in [(1, 1), (5, 2), (64, 1)]:
        settings = json.dumps({"evaluate": {"batch_size": batch_size}})
        run(project, tmp_path, "--threads", threads, protocol="sliding", settings=settings)
        tables.append(np.load(tmp_path / "probabilities.npz")["probabilities"])
    np.testing.assert_allclose(tables[0], tables[1], atol=1e-6)
    np.testing.assert_allclose(tables[0], tables[2], atol=1e-6)


def edited_split(project: Path, folder: Path, edit) -> Path:
    """The split table with every row passed through `edit`, which may return None to drop it."""
    with (project / "split1.csv").open(newline="") as file:
        rows = [row for row in map(edit, csv.DictReader(file)) if row]
    with (folder / "split.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "split.csv"


def renamed(row: dict) -> dict:
    return row | {"class": {"Biking": "Bowling", "Bowling": "Biking"}.get(row["class"], row["class"])}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda row: row if row["label"] != "2" else None, "the model knows 3 classes, but"),
        (renamed, "label 1 is Biking for the model, but Bowling in"),
        (lambda row: row | {"subset": "train"}, "has no test video"),
        (lambda row: row | {"frames": "8"}, "holds 9 frames of v_Archery_g01_c01, but the split table says 8"),
    ],
)
def test_tables_that_do_not_fit(project, tmp_path, edit, message):
    result = run(project, tmp_path, "--split-table", edited_split(project, tmp_path, edit))
    assert result.returncode == 1
    assert message in result.stderr
    assert not any((tmp_path / name).exists() for name in OUTPUTS)


def test_train_videos_are_not_predicted(project, tmp_path):
    split = edited_split(project, tmp_path, lambda row: row | {"subset": "test" if row["group"] == "1" else "train"})
    run(project, tmp_path, "--split-table", split)
    assert list(pd.read_csv(tmp_path / "predictions.csv")["group"]) == [1, 1, 1]


def test_damaged_frame_names_the_video_and_leaves_nothing(project, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for file in (project / "frames").iterdir():
        (frames / file.name).write_bytes(file.read_bytes())
    pack = frames / "Biking.zip"
    content = bytearray(pack.read_bytes())
    content[content.index(b"v_Biking_g02_c01/img_00006.jpg") + 60] ^= 0xFF
    pack.write_bytes(content)
    result = run(project, tmp_path, "--frames", frames)
    assert result.returncode == 1
    assert "class Biking, video v_Biking_g02_c01, frame 6" in result.stderr
    assert not any((tmp_path / name).exists() for name in OUTPUTS)


def test_unknown_engine_and_device(project, tmp_path):
    assert "evaluate: engine:" in run(project, tmp_path, settings='{"evaluate": {"engine": "fastest"}}').stderr
    assert "device: gpu, but" in run(project, tmp_path, "--device", "gpu").stderr
