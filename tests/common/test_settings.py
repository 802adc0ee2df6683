import math
from collections.abc import Iterator

import pytest
import yaml
from pydantic import ValidationError

from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.common.settings import Section, Settings, as_argument, read_settings, resolve, select
from video3d.common.settings_errors import ALIASES
from video3d.common.settings_renamed import RENAMED, with_todays_names


def fields(model: type[Section], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """The path of every setting and section, and what the model says about it."""
    for name, field in model.model_fields.items():
        yield (*above, name), field
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from fields(field.annotation, (*above, name))


def test_defaults_are_filled_at_every_depth():
    settings = resolve({"train": {"epochs": 3}})
    assert settings.train.epochs == 3
    assert settings.train.momentum == 0.9
    assert settings.clip.model_dump() == {
        "frames": 16,
        "size": 112,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "input": "rgb",
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trian": {}}, ["trian", "did you mean train"]),
        ({"train": {"learning_rat": 1}}, ["train: learning_rat", "did you mean learning_rate"]),
        ({"evaluate": {"weights": {"0": "x"}}}, ["evaluate: weights: 0", "the number of a split with its file"]),
        ({"device": "cuda"}, ["device", "cuda", "gpu"]),
        ({"train": {"epochs": 0}}, ["train: epochs: expected at least 1, found 0"]),
        ({"splits": [1, 1]}, ["splits: 1 is listed twice"]),
        ({"run": "../elsewhere"}, ["run: expected a name of letters, digits", "'../elsewhere'"]),
        ({"run": 3}, ["run: expected text, found 3; what is in quotes is text"]),
        ({"epochs": 3}, ["did you mean train: epochs? Write --config 'train={epochs: 3}'"]),
        ({"epoch": 3}, ["did you mean train: epochs?"]),
        ({"train": {"dropout": 0.5}}, ["unknown key train: dropout; did you mean model: dropout?"]),
        ({"batch_size": 4}, ["did you mean train: batch_size or evaluate: batch_size?"]),
        ({"classes": ["Punch"]}, ["Write --config 'dataset={classes: [Punch]}'"]),
        ({"Learning-Rate": 1}, ["did you mean train: learning_rate?"]),
        ({"train": {"lr": 1}}, ["unknown key train: lr; did you mean learning_rate?"]),
        ({"gpus": 2}, ["did you mean train: devices?"]),
        ({"num_workers": 2}, ["no setting", "--cores"]),
        ({"zzz": 2}, ["unknown key zzz; valid keys: run, replace, device"]),
        ({"train": None}, ["train: expected a group of settings", "found nothing"]),
        ({"splits": 1}, ["splits: expected a list, found 1; a list is written [1]"]),
        ({"device": "GPU"}, ["did you mean gpu?"]),
        ({"evaluate": {"uniform": {"clip": 1}}}, ["unknown key evaluate: uniform: clip; did you mean clips?"]),
        ({"dataset": {"videos_sha256": "abc"}}, ["expected 64 digits 0-9 and a-f", "'abc'"]),
        ({"dataset": {"classes": ["A", "B", "A"]}}, ["dataset: classes: A is listed twice"]),
        ({"clip": {"mean": [1, 2]}}, ["clip: mean: expected a list of 3 values, found [1, 2]"]),
        ({"train": {"fast_cpu": "maybe"}}, ["train: fast_cpu: expected true or false, found the text 'maybe'"]),
        ({"train": {"lr_multipliers": {"fc": "x"}}}, ["train: lr_multipliers: fc: expected a number"]),
        ({"train": {"learning_rate": math.nan}}, ["train: learning_rate: expected a finite number, found nan"]),
        ({"train": {"learning_rate": "1e999"}}, ["train: learning_rate: expected a finite number, found inf"]),
        ({"train": {"flip": "-.inf"}}, ["train: flip: expected a finite number"]),
        ({"train": {"lr_multipliers": {"fc": math.nan}}}, ["lr_multipliers: fc: expected a finite number, found nan"]),
        ({"train": {"epochs": math.inf}}, ["train: epochs: expected a finite number, found inf"]),
        ({"train": {"epochs": "1e300"}}, ["train: epochs: expected at most 1000000, found 1000", "(301 characters)"]),
        ({"train": {"learning_rate": 1e300}}, ["train: learning_rate: expected at most 1000000"]),
        ({"seeds": [10**25]}, ["seeds: entry 1: expected at most 2147483647, found 10000000000000000000000000"]),
        ({"seeds": ["9" * 5000]}, ["seeds: entry 1: expected ", "(5002 characters)"]),
        ({"run": "tiny\n"}, [r"run: expected a name", r"'tiny\n'"]),
        ({"run": "n" * 300}, ["run: expected a name", "at most 100", "(302 characters)"]),
        ({"dataset": {"classes": ["Punch\n"]}}, ["the name of a class"]),
        ({"dataset": {"videos_sha256": "0" * 64 + "\n"}}, ["expected 64 digits"]),
        ({"evaluate": {"weights": {"1\n": "x"}}}, ["the number of a split with its file"]),
        ({"train": {"weights": "n" * 300}}, ["train: weights: expected a path that a file can have"]),
        ({"train": {"weights": "a\0b"}}, ["train: weights: expected a path that a file can have"]),
        ({"evaluate": {"weights": {"1": "a/" * 3000}}}, ["evaluate: weights: 1: expected a path"]),
        ({"predict": {"videos": ""}}, ["predict: videos: expected text that is not empty"]),
        ({"report": {"note": "\ud800"}}, ["report: note: expected text without control characters"]),
        ({"report": {"note": "\x1b[2J"}}, ["report: note: expected text without control characters"]),
        ({"clip": {"std": [0.2, 0, 0.2]}}, ["clip: std: entry 2: expected at least 1e-06, found 0"]),
        ({"clip": {"frames": 100_000}}, ["clip: frames: expected at most 1024"]),
        ({"clip": {"frames": 1024, "size": 1024}}, ["clip: expected a clip of at most 16,777,216 pixels"]),
        ({"clip": {"frames": 1, "input": "difference"}}, ["clip: expected at least two frames for input: difference"]),
        ({"model": {"width": 1500}}, ["model: width: expected at most 1024"]),
    ],
)
def test_what_is_wrong_is_named(settings, words):
    with pytest.raises(UserError) as error:
        resolve(settings)
    assert all(word in str(error.value) for word in words)
    jargon = ("is not of type", "additionalProperties", "given schemas", "does not match", "^[")
    assert not any(word in str(error.value) for word in jargon)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(UserError, match=r"(?s)bach_size.*epochz|epochz.*bach_size"):
        resolve({"train": {"bach_size": 1, "epochz": 2}})


def test_number_keys_and_text_keys_are_the_same():
    assert resolve({"evaluate": {"weights": {2: "a"}}}) == resolve({"evaluate": {"weights": {"2": "a"}}})


def test_numbers_may_come_as_text():
    given = {"train": {"epochs": "3", "flip": "0.25"}, "splits": ["2"], "dataset": {"videos_sha256": "null"}}
    settings = resolve(given)
    assert (settings.train.epochs, settings.train.flip, settings.splits) == (3, 0.25, [2])
    assert settings.dataset.videos_sha256 is None
    assert resolve({"run": "3"}).run == "3"
    with pytest.raises(UserError, match=r"train: epochs: expected a whole number, found the text 'three'"):
        resolve({"train": {"epochs": "three"}})


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-2", 0.01), ("1E3", 1000), (".5", 0.5), ("+1", 1), ("-0", 0), ("5.", 5), ("+.5e+1", 5), (1.0, 1), ("1_0", 10)],
)
def test_numbers_as_people_write_them(text, number):
    settings = resolve({"clip": {"mean": [text, text, text]}})
    assert settings.clip.mean == [number] * 3
    assert as_argument(select(settings, "clip.mean")) == as_argument({"clip": {"mean": [number] * 3}})


def test_a_whole_number_may_be_written_with_an_exponent():
    settings = resolve({"train": {"epochs": "1e2", "milestones": ["5e1", 80.0], "lr_multipliers": {"fc": "1e-1"}}})
    said = as_argument(select(settings, "train.epochs", "train.milestones"))
    assert said == '{"train": {"epochs": 100, "milestones": [50, 80]}}'
    assert settings.train.lr_multipliers == {"fc": 0.1}


def test_text_that_looks_like_a_number_stays_text_where_text_is_due():
    settings = resolve({"run": "1e3", "report": {"note": "1e3"}, "evaluate": {"weights": {"1": "1e3"}}})
    assert settings.run == settings.report.note == settings.evaluate.weights["1"] == "1e3"


@pytest.mark.parametrize("value", [True, "true", False, [1], None])
@pytest.mark.parametrize("setting", ["epochs", "flip", "lr_multipliers"])
def test_what_is_no_number_is_not_taken_for_one(setting, value):
    given = {"fc": value} if setting == "lr_multipliers" else value
    with pytest.raises(UserError, match=rf"train: {setting}: .*expected a (whole )?number, found"):
        resolve({"train": {setting: given}})


@pytest.mark.parametrize("value", [1, 0, "1", "maybe", 1.0])
def test_numbers_are_no_truth_values(value):
    with pytest.raises(UserError, match="fast_cpu: expected true or false, found"):
        resolve({"train": {"fast_cpu": value}})


def test_groups_and_lists_may_come_as_text():
    settings = resolve({"train": "{epochs: 3}", "splits": "[2, 3]", "evaluate": {"weights": "{2: a}"}})
    assert (settings.train.epochs, settings.splits, settings.evaluate.weights) == (3, [2, 3], {"2": "a"})


def test_what_can_be_written_in_several_ways_has_one_form():
    given = {
        "dataset": {"classes": ["Punch", "Archery"]},
        "train": {"weights": "./a//b.pth"},
        "evaluate": {"weights": {1: "./c"}},
    }
    settings = resolve(given)
    assert settings.dataset.classes == ["Archery", "Punch"]
    assert (settings.train.weights, settings.evaluate.weights) == ("a/b.pth", {"1": "c"})


def test_settings_cannot_be_changed():
    settings = resolve({})
    with pytest.raises(ValidationError, match="frozen"):
        settings.train.epochs = 3


def test_defaults_are_nobody_elses():
    first = resolve({})
    first.splits.append(9)
    first.train.milestones.append(9)
    assert resolve({}).splits == [1, 2, 3] and resolve({}).train.milestones == [16, 21]


def test_every_alias_leads_to_a_setting():
    known = {path for path, _ in fields(Settings)}
    assert set(ALIASES.values()) <= known


def test_every_pattern_is_explained_in_words():
    given = {
        "run": "a b",
        "dataset": {"name": "", "videos_sha256": "g" * 64, "lists_sha256": "0", "classes": ["a/b", "c\n"]},
        "report": {"compare": ["/"]},
    }  # fmt: skip
    with pytest.raises(UserError) as error:
        resolve(given)
    assert str(error.value).count("expected a name of letters, digits, _, . and -") == 3
    assert str(error.value).count("expected 64 digits") == 2
    assert str(error.value).count("expected the name of a class") == 2


def test_settings_are_read_from_text_and_files(tmp_path):
    settings = resolve({"train": {"epochs": 3}})
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(settings.model_dump()))
    assert read_settings(str(file)) == settings == read_settings(as_argument(settings))
    with pytest.raises(UserError, match="does not exist"):
        read_settings("nowhere.yaml")
    with pytest.raises(UserError, match="mapping"):
        read_settings("epochs")


def test_equal_settings_are_equal_text():
    one = resolve({"train": {"flip": 1, "epochs": 2}, "evaluate": {"weights": {"2": "a", "1": "b"}}})
    other = resolve({"evaluate": {"weights": {1: "b", 2: "a"}}, "train": {"epochs": 2.0, "flip": "1.0"}})
    assert as_argument(one) == as_argument(other)
    assert "\n" not in as_argument(one) and '"flip": 1,' in as_argument(one)


def test_parts_of_the_settings_are_selected():
    settings = resolve({"evaluate": {"engine": "plain"}})
    selected = select(settings, "frames", "evaluate.engine", "evaluate.uniform", "seeds")
    assert selected == {
        "frames": {"short_side": 240, "quality": 85},
        "evaluate": {"engine": "plain", "uniform": {"clips": 10, "flip": True}},
        "seeds": [10001],
    }


def test_old_names_are_answered_with_those_of_today():
    assert {old for old, today in RENAMED.items() if not today} == {("train", "compile")}
    known = dict(fields(Settings))
    for (section, old), today in RENAMED.items():
        assert (section, old) not in known
        with pytest.raises(UserError) as error:
            resolve({section: {old: 1}})
        hint = f"did you mean {today[-1]}?" if today else "it is no setting any more: leave it out"
        assert f"unknown key {section}: {old}; {hint}" in str(error.value)
    with pytest.raises(UserError, match="unknown key average; did you mean train: ema_decay"):
        resolve({"average": 0.9})


def test_settings_of_a_finished_run_are_read_under_the_names_of_today():
    old = {
        "run": "old",
        "train": {
            "average": 0.9, "stage_rates": {"fc": 2}, "clip_gradients": 1, "accumulate": 2, "compile": True,
            "epochs": 3,
        },
    }  # fmt: skip
    today = with_todays_names(old)
    assert today == {
        "run": "old",
        "train": {
            "ema_decay": 0.9, "lr_multipliers": {"fc": 2}, "max_grad_norm": 1, "gradient_accumulation_steps": 2,
            "epochs": 3,
        },
    }  # fmt: skip
    assert resolve(today).train.ema_decay == 0.9
    assert "average" in old["train"]
    assert with_todays_names(today) == today
    for damaged in ({}, {"train": None}, {"train": [1]}, {"other": 1}):
        assert with_todays_names(damaged) == damaged


def test_every_setting_has_a_description_and_a_default():
    for path, field in fields(Settings):
        assert field.description, f"{path} has no description"
        assert not field.is_required(), f"{path} has no default"


def test_the_default_configuration_says_what_the_schema_says():
    """The comments of config.yaml describe these values; the two must not drift apart."""
    written = yaml.safe_load((PROJECT / "config.yaml").read_text())
    checksums = {key: written["dataset"].pop(key) for key in ("videos_sha256", "lists_sha256")}
    assert all(len(value) == 64 for value in checksums.values())
    assert resolve(written) == resolve({})


@pytest.mark.parametrize("recipe", sorted(path.name for path in (PROJECT / "recipes").glob("*.yaml")))
def test_every_recipe_is_valid(recipe):
    resolve(yaml.safe_load((PROJECT / "recipes" / recipe).read_text()) or {})


@pytest.mark.parametrize("text", ["&a [*a]", "[" * 5000, "!!bool x", "[&a [1, 1], *a, *a]", "1, " * 5000])
def test_text_that_yaml_cannot_bear_is_no_number(text):
    with pytest.raises(UserError, match="seeds"):
        resolve({"seeds": text})


def test_groups_are_numbers_or_names():
    assert resolve({"validation_groups": ["7", 8, "07", "take [1]", "yes"]}).validation_groups == [
        7,
        8,
        "07",
        "take [1]",
        "yes",
    ]
    for groups in ("", 1, "2", r"^(\w+)_", "[a-c]([0-9]+)"):
        assert str(resolve({"dataset": {"groups": groups}}).dataset.groups) == str(groups)
    for groups in ("anna", "(", 0, -1, [1], True):
        with pytest.raises(UserError, match="dataset: groups: expected"):
            resolve({"dataset": {"groups": groups}})
