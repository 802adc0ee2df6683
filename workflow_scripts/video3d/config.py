"""The settings: checked against the schema, completed with its defaults, handed to scripts section by section."""

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from video3d.console import UserError

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, parsed."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def resolve(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` with every default filled in.

    Keys are compared as text, so that a YAML `{2: file}` and a JSON `{"2": file}` are the same; so are `3` and "3"
    where a number is due, as Snakemake's `--config train={epochs: 3}` arrives with text in place of numbers.
    Raises UserError that lists every unknown key (with its nearest valid spelling) and every value out of range.
    """
    completed = _with_defaults(_typed(_text_keys(settings), schema()), schema())
    errors = sorted(Draft202012Validator(schema()).iter_errors(completed), key=lambda error: list(map(str, error.path)))
    if errors:
        raise UserError("the configuration is not valid:\n" + "\n".join(f"  - {_explain(error)}" for error in errors))
    return completed


def settings_argument(text: str) -> dict[str, Any]:
    """Parse a script's `--settings`: sections of the configuration as YAML or JSON text, or in a YAML file.

    Sections and keys that are left out get the schema's defaults.
    Raises UserError if the text is neither, or not valid.
    """
    path = Path(text) if len(text) < 1000 and "{" not in text and "\n" not in text else None
    if path and path.suffix in {".yaml", ".yml", ".json"} and not path.is_file():
        raise UserError(f"settings file {path} does not exist")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8") if path and path.is_file() else text)
    except yaml.YAMLError as error:
        raise UserError(f"--settings is not valid YAML: {error}") from error
    if not isinstance(settings, dict):
        raise UserError(f"--settings must be a mapping of sections or a YAML file with one, not {text!r}")
    return resolve(settings)


def as_argument(settings: dict[str, Any]) -> str:
    """The inverse of `settings_argument`: one line of JSON; its keys are sorted, so equal settings are equal text."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text_keys(item) for item in value]
    return value


def _typed(value: Any, part: dict[str, Any]) -> Any:
    """`value` with every text replaced by what it says in YAML where the schema `part` does not accept the text."""
    if isinstance(value, dict):
        return {key: _typed(item, part.get("properties", {}).get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, part.get("items", {})) for item in value]
    if isinstance(value, str) and not Draft202012Validator(part).is_valid(value):
        return _parsed(value)
    return value


def _parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _with_defaults(value: Any, part: dict[str, Any]) -> Any:
    """`value` completed from the `default` of every property that the schema `part` describes."""
    if not isinstance(value, dict) or "properties" not in part:
        return value
    completed = dict(value)
    for key, child in part["properties"].items():
        if key in completed:
            completed[key] = _with_defaults(completed[key], child)
        elif "default" in child:
            completed[key] = _with_defaults(child["default"], child)
    return completed


def _explain(error: ValidationError) -> str:
    """One sentence for a person: the key, what is wrong with it, what was expected."""
    where = ".".join(map(str, error.path))
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        valid = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in valid]
        return "; ".join(_unknown_key(".".join(filter(None, [where, key])), key, valid) for key in unknown)
    description = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    hint = f" ({description.strip()})" if description else ""
    return f"{where or 'the configuration'}: {error.message}{hint}"


def _unknown_key(where: str, key: str, valid: list[str]) -> str:
    near = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
    return f"unknown key {where}" + (f"; did you mean {near[0]}?" if near else f"; valid keys: {', '.join(valid)}")
