"""What the files of a run say, and what is said where they cannot be read."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers.paths import PROJECT
from helpers.simulated import simulate
from video3d.common.errors import UserError
from video3d.report.notices import weights_notices
from video3d.report.results import read_run
from video3d.report.run_files import require_readable

PLACE = "split1/seed1"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return simulate(tmp_path, classes=3, splits=(1,), seeds=(1,), protocols=("segments",))


def test_a_whole_run_is_readable(run: Path) -> None:
    require_readable(run)
    assert list(read_run(run).trainings) == [(1, 1)]


def test_a_run_of_version_0_1_is_read(run: Path) -> None:
    """Its models do not tell the origin of the weights, its predictions not what was trained on."""
    path = run / PLACE / "model/metadata.json"
    metadata = json.loads(path.read_text())
    weights = {"source": "old.pdparams", "sha256": "0" * 64, "made_by": "this project"}
    path.write_text(json.dumps(metadata | {"weights": weights}))
    predictions = run / PLACE / "segments/predictions.csv"
    pd.read_csv(predictions).drop(columns=["trained_on", "group_trained_on"]).to_csv(predictions, index=False)
    require_readable(run)
    read = read_run(run)
    assert read.models[1, 1]["weights"]["origin"] == "unchecked"
    assert read.trainings == {}
    unknown = "Split 1, seed 1 has weights whose training data are unknown: the test videos may be among them."
    assert weights_notices(read) == [unknown]
    path.write_text(json.dumps(metadata | {"weights": weights | {"classes_named": False}}))
    assert weights_notices(read_run(run)) == [
        "Split 1, seed 1 has weights that do not name their classes: taken to be those of the split, in its order.",
        unknown,
    ]


def test_a_run_from_before_settings_were_renamed_is_read(run: Path) -> None:
    old = {"average": 0.9, "stage_rates": {"fc": 2}, "clip_gradients": 1.0, "accumulate": 2, "compile": False}
    today = ("ema_decay", "lr_multipliers", "max_grad_norm", "gradient_accumulation_steps")

    def renamed(train: dict) -> dict:
        return {name: value for name, value in train.items() if name not in today} | old

    config, description = run / "config.yaml", run / PLACE / "weights.json"
    settings, training = yaml.safe_load(config.read_text()), json.loads(description.read_text())
    config.write_text(yaml.safe_dump(settings | {"train": renamed(settings["train"])}))
    description.write_text(json.dumps(training | {"train": renamed(training["train"])}))
    require_readable(run)
    train = read_run(run).settings.train
    assert [getattr(train, name) for name in today] == [0.9, {"fc": 2}, 1, 2]
    config.write_text(yaml.safe_dump(settings | {"train": {"averag": 0.9}}))
    with pytest.raises(UserError, match=r"(?s)config\.yaml: .*unknown key train: averag"):
        read_run(run)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model/metadata.json", "{}", r"metadata\.json is damaged: .*export the model again"),
        ("model/metadata.json", "[]", r"metadata\.json is damaged: .*export the model again"),
        ("model/metadata.json", '{"labels"', r"metadata\.json is damaged: .*export the model again"),
        ("segments/metrics.json", "[]", r"metrics\.json is damaged: it holds a list .*run the workflow again"),
        ("segments/metrics.json", "{}", r"metrics\.json does not say model_sha256, .*run the workflow again"),
        ("segments/metrics.json", "nonsense", r"metrics\.json is damaged: .*run the workflow again"),
        ("weights.json", "[]", r"weights\.json is damaged: it holds a list .*run the workflow again"),
        ("segments/predictions.csv", "", r"predictions\.csv .*run the workflow again"),
        (
            "segments/predictions.csv",
            "video,group\n",
            r"predictions\.csv has no column class, .*run the workflow again",
        ),
        ("../../accuracy.csv", "split\n1\n", r"accuracy\.csv has no column .*run the workflow again"),
        ("../../config.yaml", "splits: [0]", r"config\.yaml: .*splits"),
    ],
)
def test_damaged_files_are_named_before_and_in_reading(run: Path, name: str, content: str, message: str) -> None:
    (run / PLACE / name).write_text(content)
    for read in (require_readable, read_run):
        with pytest.raises(UserError, match=rf"(?s){message}"):
            read(run)


def test_keys_that_are_missing_deeper_down_are_named(run: Path) -> None:
    for name, part, lacking in (
        ("model/metadata.json", "weights", r"does not say source, sha256: .*run the workflow again"),
        (
            "model/metadata.json",
            "model",
            r"is damaged: model: expected also cardinality, depth, .*export the model again",
        ),
        ("weights.json", "train", r"is damaged: train: expected also sampling; .*run the workflow again"),
    ):
        path = run / PLACE / name
        text = path.read_text()
        path.write_text(json.dumps(json.loads(text) | {part: {}}))
        for read in (require_readable, read_run):
            with pytest.raises(UserError, match=rf"{path.name} {lacking}"):
                read(run)
        path.write_text(text)


@pytest.mark.parametrize("name", ["model/metadata.json", "segments/metrics.json", "segments/predictions.csv"])
def test_missing_files_are_named(run: Path, name: str) -> None:
    (run / PLACE / name).unlink()
    for read in (require_readable, read_run):
        with pytest.raises(UserError, match=rf"{PLACE}/{name} does not exist"):
            read(run)


def test_looking_needs_neither_pandas_nor_paddle() -> None:
    program = "import sys, video3d.report.run_files; sys.exit(bool({'pandas', 'paddle'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PROJECT / "workflow_scripts")
