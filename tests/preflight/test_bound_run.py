"""What a call would replace, told setting by setting."""

import json

import pytest

from video3d.common.settings import resolve
from video3d.preflight.bound_run import evaluation_changes, refusal

CLASSES = ["Archery", "Bowling"]


@pytest.fixture
def run(tmp_path):
    """A run with two finished trainings and one that is not finished."""
    made = resolve({"dataset": {"name": "mine", "classes": CLASSES}, "train": {"epochs": 20}}).model_dump()
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
    return refusal(run, trainings, settings, settings.dataset.classes)


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


def test_a_run_from_before_settings_were_renamed_is_not_one_of_other_settings(run):
    for split in (1, 2):
        path = run / f"split{split}/seed7/weights.json"
        made = json.loads(path.read_text())
        old = {"average": 0.9, "stage_rates": {"fc": 2}, "clip_gradients": 1, "accumulate": 2, "compile": True}
        today = ("ema_decay", "lr_multipliers", "max_grad_norm", "gradient_accumulation_steps")
        made["train"] = {name: value for name, value in made["train"].items() if name not in today} | old
        path.write_text(json.dumps(made))
    same = {"ema_decay": 0.9, "lr_multipliers": {"fc": 2}, "max_grad_norm": 1, "gradient_accumulation_steps": 2}
    assert ask(run, train={"epochs": 20, **same}) == ""
    assert "train.ema_decay: 0.9 → 0" in ask(run, train={"epochs": 20, **same, "ema_decay": 0})


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}"])
def test_weights_without_a_readable_description_are_not_replaced_either(run, text):
    path = run / "split1/seed7/weights.json"
    path.unlink() if text is None else path.write_text(text)
    assert f"{path}: unreadable" in ask(run)


def test_damaged_parts_of_a_description_are_differences(run):
    path = run / "split1/seed7/weights.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"train": None, "labels": None}))
    assert "train.epochs" in ask(run)


def test_what_version_0_1_did_not_keep_is_taken_from_the_settings_beside_it(run):
    for split in (1, 2):
        path = run / f"split{split}/seed7/weights.json"
        made = json.loads(path.read_text())
        path.write_text(json.dumps({name: made[name] for name in ("labels", "model", "clip", "train")}))
    (run / "config.yaml").write_text("frames: {short_side: 170}")
    assert "frames.short_side: 170 → 240" in ask(run)


def test_other_weights_to_start_from_are_a_difference_under_the_same_name_too(run, tmp_path):
    start = tmp_path / "start.pdparams"
    start.write_text("other weights")
    path = run / "split1/seed7/weights.json"
    made = json.loads(path.read_text())
    made["train"]["weights"], made["start"] = str(start), {"sha256": "0" * 64}
    path.write_text(json.dumps(made))
    assert "the file of train.weights: SHA-256 000000000000… → " in ask(run, train=made["train"])


def test_left_out_videos_are_not_forgotten_and_nothing_else_is_asked_about_faults(run):
    assert ask(run, dataset={"name": "mine", "classes": CLASSES, "faulty_videos": "leave_out"}) == ""
    path = run / "split1/seed7/weights.json"
    made = json.loads(path.read_text())
    made["dataset"]["faulty_videos"] = "leave_out"
    path.write_text(json.dumps(made))
    assert 'dataset.faulty_videos: "leave_out" → "stop"' in ask(run)


def test_what_is_evaluated_anew_is_told_from_the_settings_beside_the_accuracies(tmp_path):
    asked = resolve({"splits": [1], "evaluate": {"weights": {"1": "a.pdparams"}}})
    assert evaluation_changes(tmp_path, asked) == ""
    (tmp_path / "config.yaml").write_text("splits: [1, 2]")
    assert evaluation_changes(tmp_path, asked) == 'splits: [1, 2] → [1], evaluate.weights: {} → {"1": "a.pdparams"}'
