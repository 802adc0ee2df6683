import pytest
import yaml

from paths import PROJECT
from video3d.config import as_argument, resolve, schema, settings_argument
from video3d.console import UserError


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
        ({"train": {"learning_rat": 1}}, ["train.learning_rat", "did you mean learning_rate"]),
        ({"evaluate": {"weights": {"4": "x"}}}, ["evaluate.weights", "4"]),
        ({"device": "cuda"}, ["device", "cuda", "gpu"]),
        ({"train": {"epochs": 0}}, ["train.epochs", "0"]),
        ({"splits": [1, 1]}, ["splits"]),
        ({"run": "../elsewhere"}, ["run"]),
    ],
)
def test_what_is_wrong_is_named(settings, words):
    with pytest.raises(UserError) as error:
        resolve(settings)
    assert all(word in str(error.value) for word in words)


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
    with pytest.raises(UserError, match=r"train\.epochs: 'three'"):
        resolve({"train": {"epochs": "three"}})


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
