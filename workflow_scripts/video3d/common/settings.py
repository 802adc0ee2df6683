"""The settings: checked against the schema, completed with its defaults, handed to scripts section by section."""

import difflib
import json
import math
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from video3d.common.errors import UserError

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"
# As people write numbers; YAML 1.1 takes 1e-2 and 1E3 for text.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NULL = {"null", "Null", "NULL", "~"}
# What other programs call our settings, and what is set elsewhere.
ALIASES: dict[str, tuple[str, ...]] = {
    "lr": ("train", "learning_rate"), "base_lr": ("train", "learning_rate"), "rate": ("train", "learning_rate"),
    "bs": ("train", "batch_size"), "batch": ("train", "batch_size"), "batchsize": ("train", "batch_size"),
    "wd": ("train", "weight_decay"), "num_epochs": ("train", "epochs"), "n_epochs": ("train", "epochs"),
    "max_epochs": ("train", "epochs"), "scheduler": ("train", "schedule"), "lr_scheduler": ("train", "schedule"),
    "warmup": ("train", "warmup_epochs"), "pretrained": ("train", "weights"), "amp": ("train", "precision"),
    "ema": ("train", "average"), "gpus": ("train", "devices"), "num_gpus": ("train", "devices"),
    "gpu": ("device",), "cuda": ("device",), "seed": ("seeds",), "split": ("splits",), "fold": ("splits",),
    "arch": ("model", "depth"), "layers": ("model", "depth"), "clip_len": ("clip", "frames"),
    "num_frames": ("clip", "frames"), "crop_size": ("clip", "size"), "image_size": ("clip", "size"),
    "class": ("dataset", "classes"), "data": ("dataset",), "data_dir": ("dataset", "videos"),
    "protocol": ("evaluate", "protocols"), "output": ("run",), "experiment": ("run",), "name": ("run",),
}  # fmt: skip
NO_SETTINGS = dict.fromkeys(
    ("workers", "num_workers", "threads", "num_threads", "cores", "jobs"),
    "it is no setting: the number of threads follows from snakemake --cores",
)


def _is_number(_checker: Any, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# NaN and infinity are no numbers, as no setting can be either.
Validator = extend(Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number))


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, parsed."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def resolve(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings` with every default filled in.

    Keys are compared as text, so that a YAML `{2: file}` and a JSON `{"2": file}` are the same; so are `3` and "3"
    where a number is due, as Snakemake's `--config train={epochs: 3}` arrives with text in place of numbers, and
    1e-2 and 0.01, or 1 and 1.0.
    Raises UserError that lists every unknown key (with what may have been meant) and every value out of range.
    """
    completed = _with_defaults(_typed(_text_keys(settings), schema()), schema())
    errors = sorted(Validator(schema()).iter_errors(completed), key=lambda error: list(map(str, error.path)))
    if errors:
        lines = [line for error in errors for line in _explain(error)]
        raise UserError("the configuration is not valid:\n" + "\n".join(f"  - {line}" for line in lines))
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


def setting_name(path: Sequence[str | int]) -> str:
    """How a setting is called in messages: `train: epochs`, `splits: entry 2`."""
    return ": ".join(f"entry {part + 1}" if isinstance(part, int) else part for part in path)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text_keys(item) for item in value]
    return value


def _typed(value: Any, part: dict[str, Any]) -> Any:
    """`value` with every text replaced by what it says where the schema `part` does not accept the text."""
    if isinstance(value, dict):
        return {key: _typed(item, _part_of(part, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, part.get("items", {})) for item in value]
    if isinstance(value, str) and ("null" in part.get("type", []) and value in NULL):
        return None
    if isinstance(value, str) and not Validator(part).is_valid(value):
        said = _said(value)
        return value if isinstance(said, str) else _typed(said, part)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _part_of(part: dict[str, Any], key: str) -> dict[str, Any]:
    """The schema of `key` in a mapping that the schema `part` describes."""
    others = part.get("additionalProperties")
    return part.get("properties", {}).get(key) or (others if isinstance(others, dict) else {})


def _said(text: str) -> Any:
    """The number, truth value, list or mapping that `text` writes; `text` itself if it is none of them."""
    if NUMBER.fullmatch(text.strip()):
        return int(text) if text.strip().lstrip("+-").isdecimal() else float(text)
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return said if isinstance(said, bool | int | float | list | dict) else text


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


def _explain(error: ValidationError) -> Iterator[str]:
    """A sentence for a person, for each mistake: the setting, what is expected, what was found."""
    path, part, value = list(error.path), error.schema, error.instance
    if error.validator == "additionalProperties":
        known = {*part.get("properties", {})}
        patterns = list(part.get("patternProperties", {}))
        for key in value:
            if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                yield _unknown_key([*path, key], value[key], part)
    elif error.validator == "uniqueItems":
        for item in dict.fromkeys(map(str, value)):
            if (count := [*map(str, value)].count(item)) > 1:
                yield f"{setting_name(path)}: {item} is listed {'twice' if count == 2 else f'{count} times'}"
    else:
        description = f" ({part['description'].strip()})" if "description" in part else ""
        where = f"{setting_name(path)}: " if path else ""
        yield f"{where}expected {_expected(error)}, found {_found(value)}{_remedy(error)}{description}"


def _expected(error: ValidationError) -> str:
    """What the schema wants in place of the value, in words."""
    part, limit = error.schema, error.validator_value
    match error.validator:
        case "type":
            kinds = [limit] if isinstance(limit, str) else [kind for kind in limit if kind != "null"]
            if isinstance(error.instance, float) and not math.isfinite(error.instance):
                return "a finite number"
            return " or ".join(KINDS[kind] for kind in kinds) + (_example(part) if "properties" in part else "")
        case "enum":
            near = difflib.get_close_matches(str(error.instance).lower(), map(str, limit), n=1)
            return f"one of {', '.join(map(str, limit))}" + (f" (did you mean {near[0]}?)" if near else "")
        case "minItems" | "maxItems":
            exact = part.get("minItems") == part.get("maxItems")
            return f"a list of {limit} values" if exact else "a list that is not empty"
        case "minLength":
            return "text that is not empty"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return f"{LIMITS[error.validator]} {limit}"
    return part.get("expected", "another value")


KINDS = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false", "array": "a list",
    "object": "a group of settings",
}  # fmt: skip
LIMITS = {
    "minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most", "exclusiveMaximum": "less than",
}  # fmt: skip


def _example(part: dict[str, Any]) -> str:
    key, child = next(iter(part["properties"].items()))
    return f" such as {_flow({key: child['default']})}"


def _found(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {value!r}"
        case int() | float():
            return str(value)
    return _flow(value)


def _remedy(error: ValidationError) -> str:
    """How to say text that YAML takes for something else; a list that was meant, written as one."""
    if (
        error.validator == "type"
        and error.validator_value == "string"
        and isinstance(error.instance, bool | int | float)
    ):
        return "; what is in quotes is text"
    if error.validator == "type" and error.validator_value == "array" and not isinstance(error.instance, dict | None):
        return f"; a list is written [{error.instance}]"
    return ""


def _flow(value: Any) -> str:
    """`value` as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=math.inf, sort_keys=False)
    return text.strip().removesuffix("\n...")


def _unknown_key(path: Sequence[str], value: Any, part: dict[str, Any]) -> str:
    """That there is no such key, and what may have been meant: here, elsewhere, or by another program's name."""
    *above, key = path
    unknown = f"unknown key {setting_name(path)}"
    if "properties" not in part:
        return f"{unknown}; expected {part['expected']}"
    plain = key.lower().replace("-", "_")
    if plain in NO_SETTINGS:
        return f"{unknown}; {NO_SETTINGS[plain]}"
    places = _meant(plain, above, list(part["properties"]))
    if not places:
        return f"{unknown}; valid keys: {', '.join(part['properties'])}"
    if places[0][:-1] == above:
        return f"{unknown}; did you mean {places[0][-1]}?"
    for name in reversed(places[0][1:]):
        value = {name: value}
    said = " or ".join(map(setting_name, places))
    return f"{unknown}; did you mean {said}? Write --config {shlex.quote(f'{places[0][0]}={_flow(value)}')}"


def _meant(key: str, above: list[str], siblings: list[str]) -> list[list[str]]:
    """The settings that `key`, found in the section `above`, may stand for, as paths."""
    everywhere = list(_paths(schema()))
    if key in siblings:
        return [[*above, key]]
    if key in ALIASES:
        return [list(ALIASES[key])]
    if exact := [path for path in everywhere if path[-1] == key]:
        return exact
    if near := difflib.get_close_matches(key, siblings, n=1, cutoff=0.7):
        return [[*above, near[0]]]
    if near := difflib.get_close_matches(key, [path[-1] for path in everywhere], n=1, cutoff=0.8):
        return [path for path in everywhere if path[-1] == near[0]]
    return [[*above, name] for name in difflib.get_close_matches(key, siblings, n=1, cutoff=0.5)]


def _paths(part: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """The paths of all settings below the schema `part`."""
    for name, child in part.get("properties", {}).items():
        yield [*above, name]
        yield from _paths(child, (*above, name))
