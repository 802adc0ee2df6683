import math

import pytest
import yaml

from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.common.settings import ALIASES, as_argument, resolve, schema, settings_argument


def test_defaults_are_filled_at_every_depth():
    settings = resolve({"train": {"epochs": 3}})
    assert settings["train"]["epochs"] == 3
    assert settings["train"]["momentum"] == 0.9
    assert settings["clip"] == {
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
        ({"evaluate": {"weights": {"4": "x"}}}, ["evaluate: weights: 4", "a split, 1, 2 or 3"]),
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
        ({"dataset": {"videos_sha256": "abc"}}, ["expected 64 digits 0-9 and a-f", "'abc'"]),
        ({"dataset": {"classes": ["A", "B", "A"]}}, ["dataset: classes: A is listed twice"]),
        ({"clip": {"mean": [1, 2]}}, ["clip: mean: expected a list of 3 values, found [1, 2]"]),
        ({"train": {"compile": "maybe"}}, ["train: compile: expected true or false, found the text 'maybe'"]),
        ({"train": {"stage_rates": {"fc": "x"}}}, ["train: stage_rates: fc: expected a number"]),
        ({"train": {"learning_rate": math.nan}}, ["train: learning_rate: expected a finite number, found nan"]),
        ({"train": {"learning_rate": "1e999"}}, ["train: learning_rate: expected a finite number, found inf"]),
        ({"train": {"flip": "-.inf"}}, ["train: flip: expected a finite number"]),
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
    assert (settings["train"]["epochs"], settings["train"]["flip"], settings["splits"]) == (3, 0.25, [2])
    assert settings["dataset"]["videos_sha256"] is None
    assert resolve({"run": "3"})["run"] == "3"
    with pytest.raises(UserError, match=r"train: epochs: expected a whole number, found the text 'three'"):
        resolve({"train": {"epochs": "three"}})


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-2", 0.01), ("1E3", 1000), (".5", 0.5), ("+1", 1), ("-0", 0), ("5.", 5), ("+.5e+1", 5), (1.0, 1), ("1_0", 10)],
)
def test_numbers_as_people_write_them(text, number):
    given = {"clip": {"mean": [text, text, text]}}
    found = resolve(given)["clip"]["mean"]
    assert found == [number] * 3
    assert as_argument({"mean": found}) == as_argument({"mean": [number] * 3})


def test_a_whole_number_may_be_written_with_an_exponent():
    settings = resolve({"train": {"epochs": "1e2", "milestones": ["5e1", 80.0], "stage_rates": {"fc": "1e-1"}}})
    assert as_argument(settings["train"]["epochs"]) == "100"
    assert as_argument(settings["train"]["milestones"]) == "[50, 80]"
    assert settings["train"]["stage_rates"] == {"fc": 0.1}


def test_text_that_looks_like_a_number_stays_text_where_text_is_due():
    settings = resolve({"run": "1e3", "report": {"note": "1e3"}, "evaluate": {"weights": {"1": "1e3"}}})
    assert settings["run"] == settings["report"]["note"] == settings["evaluate"]["weights"]["1"] == "1e3"


def test_every_alias_leads_to_a_setting():
    for alias, (*above, key) in ALIASES.items():
        part = schema()
        for name in (*above, key):
            assert name in part["properties"], f"{alias}: {name}"
            part = part["properties"][name]


def test_every_pattern_is_explained_in_words():
    def check(part):
        if isinstance(part, dict):
            assert "expected" in part or not isinstance(part.get("pattern", None), str), part
            for child in part.values():
                check(child)

    check(schema())


def test_settings_argument_takes_text_and_files(tmp_path):
    settings = resolve({"train": {"epochs": 3}})
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(settings))
    assert settings_argument(str(file)) == settings == settings_argument(as_argument(settings))
    with pytest.raises(UserError, match="does not exist"):
        settings_argument("nowhere.yaml")
    with pytest.raises(UserError, match="mapping"):
        settings_argument("epochs")


def test_equal_settings_are_equal_text():
    assert as_argument({"a": 1, "b": {"c": 2, "d": 3}}) == as_argument({"b": {"d": 3, "c": 2}, "a": 1})


def test_every_setting_has_a_description_and_a_default():
    def check(part, where):
        for name, child in part["properties"].items():
            assert child.get("description"), f"{where}{name} has no description"
            assert "default" in child, f"{where}{name} has no default"
            if "properties" in child:
                check(child, f"{where}{name}.")

    check(schema(), "")


def test_the_default_configuration_says_what_the_schema_says():
    """The comments of config.yaml describe these values; the two must not drift apart."""
    written = yaml.safe_load((PROJECT / "config.yaml").read_text())
    checksums = {key: written["dataset"].pop(key) for key in ("videos_sha256", "lists_sha256")}
    assert all(len(value) == 64 for value in checksums.values())
    assert resolve(written) == resolve({})


@pytest.mark.parametrize("recipe", sorted(path.name for path in (PROJECT / "recipes").glob("*.yaml")))
def test_every_recipe_is_valid(recipe):
    resolve(yaml.safe_load((PROJECT / "recipes" / recipe).read_text()) or {})
