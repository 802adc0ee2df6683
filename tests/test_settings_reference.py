"""What is made of the models of the settings is current, and says of a file what the models say of it."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

import settings_reference
from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.common.settings import resolve

SCHEMA = json.loads((PROJECT / "schemas/config.schema.json").read_text())
FILES = [PROJECT / "config.yaml", *sorted((PROJECT / "recipes").glob("*.yaml"))]


def test_what_is_made_of_the_settings_is_current():
    assert settings_reference.SCHEMA.read_text() == settings_reference.schema_text(), "call make docs"
    assert settings_reference.PAGE.read_text() == settings_reference.page_text(), "call make docs"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_editor_finds_nothing_wrong_in_what_is_right(path):
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "settings",
    [
        {"trian": {}},
        {"run": "a b"},
        {"train": {"epochs": 0}},
        {"train": {"flip": 1.5}},
        {"train": {"fast_cpu": 1}},
        {"train": {"momentum": 1}},
        {"train": {"lr_multipliers": {"fc": -1}}},
        {"train": None},
        {"splits": []},
        {"splits": [0]},
        {"splits": [1, 1]},
        {"clip": {"mean": [1, 2]}},
        {"model": {"depth": 11}},
        {"device": "cuda"},
        {"dataset": {"videos_sha256": "abc"}},
        {"evaluate": {"weights": {"0": "a"}}},
        {"evaluate": {"uniform": {"clip": 3}}},
    ],
    ids=str,
)
def test_an_editor_finds_what_is_wrong(settings):
    assert not Draft202012Validator(SCHEMA).is_valid(settings)
    with pytest.raises(UserError):
        resolve(settings)


def test_the_configuration_names_its_schema_for_editors():
    first = (PROJECT / "config.yaml").read_text().splitlines()[0]
    name = first.removeprefix("# yaml-language-server: $schema=")
    assert (PROJECT / name).samefile(settings_reference.SCHEMA)


def test_every_setting_is_on_the_page():
    page = settings_reference.PAGE.read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert all(row.count(" | ") == 3 for row in rows)
    count = sum("$ref" not in part for section in [SCHEMA, *SCHEMA["$defs"].values()]
                for part in section["properties"].values())  # fmt: skip
    assert len(rows) == count
