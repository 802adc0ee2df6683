"""What a call would replace, told setting by setting."""

import json

import pytest

from video3d.bound_run import evaluated_weights, evaluation_changes, refusal
from video3d.config import resolve

CLASSES = ["Archery", "Bowling"]


@pytest.fixture
def run(tmp_path):
    """A run with two finished trainings and one that is not finished."""
    made = resolve({"dataset": {"name": "mine", "classes": CLASSES}, "train": {"epochs": 20}})
    for split in (1, 2):
        folder = tmp_path / f"split{split}" / "seed7"
        folder.mkdir(parents=True)
        (folder / "weights.pdparams").touch()
        kept = {name: made[name] for name in ("dataset", "frames", "validation_groups", "model", "clip", "train")}
        (folder / "weights.json").write_text(json.dumps({"labels": CLASSES, **kept}))
    (tmp_path / "split3" / "seed7").mkdir(parents=True)
    return tmp_path


def ask(run, **settings):
    given = {"dataset": {"name": "mine", "classes": CLASSES}, "train": {"epochs": 20}} | settings
    settings = resolve(given)
    trainings = [run / f"split{split}" / "seed7" for split in (1, 2, 3)]
    return refusal(run, trainings, settings, settings["dataset"]["classes"])


def test_equal_settings_replace_nothing(run):
    assert ask(run) == ""


@pytest.mark.parametrize(
    "settings",
    [
        {"device": "cpu"},
        {"evaluate": {"protocols": ["sliding"]}},
        {"report": {"note": "another"}},
        {"dataset": {"name": "mine", "classes": CLASSES[::-1]}},
        {"dataset": {"name": "mine", "classes": CLASSES, "videos": ["elsewhere.zip"]}},
    ],
)
def test_settings_that_no_training_depends_on_ask_nothing(run, settings):
    assert ask(run, **settings) == ""


def test_every_difference_is_told_and_what_would_be_lost(run):
    said = ask(run, train={"epochs": 5, "learning_rate": 0.1}, frames={"short_side": 100}, validation_groups=[3])
    for line in (
        "  train.epochs: 20 → 5",
        "  train.learning_rate: 0.01 → 0.1",
        "  frames.short_side: 240 → 100",
        "  validation_groups: [] → [3]",
        "  split1/seed7: 20 epochs, finished ",
        "  split2/seed7: 20 epochs, finished ",
    ):
        assert line in said
    assert "split3" not in said and "model" not in said
    assert "--config run=<name>" in said and "replace=true" in said


def test_other_classes_and_another_data_set_are_differences(run):
    said = ask(run, dataset={"name": "yours", "classes": ["Archery"]})
    assert 'dataset.name: "mine" → "yours"' in said
    assert 'dataset.classes: ["Archery", "Bowling"] → ["Archery"]' in said


def test_a_setting_that_an_older_version_did_not_have_had_its_default(run):
    path = run / "split1/seed7/weights.json"
    made = json.loads(path.read_text())
    del made["train"]["flip"], made["frames"]
    path.write_text(json.dumps(made))
    assert ask(run) == ""
    assert "train.flip: 0.5 → 0.25" in ask(run, train={"epochs": 20, "flip": 0.25})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_description_is_left_to_those_who_read_it(run, text):
    for split in (1, 2):
        (run / f"split{split}/seed7/weights.json").write_text(text)
    assert ask(run, train={"epochs": 5}) == ""


def test_which_weights_were_evaluated(run):
    assert evaluated_weights(run / "split1/seed7") == ""
    (run / "split1/seed7/model").mkdir()
    (run / "split1/seed7/model/metadata.json").write_text('{"weights": {"source": "a.pdparams"}}')
    assert evaluated_weights(run / "split1/seed7") == "a.pdparams"


def test_by_which_settings_an_evaluation_was_not_made(tmp_path):
    asked = {"batch_size": 16, "uniform": {"clips": 10}}
    assert evaluation_changes(tmp_path, asked) == ""
    (tmp_path / "metrics.json").write_text(json.dumps({"settings": {"batch_size": 4, "uniform": {"clips": 10}}}))
    assert evaluation_changes(tmp_path, asked) == "evaluate.batch_size: 4 → 16"
