"""What is said about settings that are not valid: what is wrong, what was expected, and what may have been meant."""

import difflib
import inspect
import math
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from video3d.common.settings_renamed import RENAMED

# What other programs call our settings, and what is set elsewhere.
ALIASES: dict[str, tuple[str, ...]] = {
    "lr": ("train", "learning_rate"), "base_lr": ("train", "learning_rate"), "rate": ("train", "learning_rate"),
    "bs": ("train", "batch_size"), "batch": ("train", "batch_size"), "batchsize": ("train", "batch_size"),
    "wd": ("train", "weight_decay"), "num_epochs": ("train", "epochs"), "n_epochs": ("train", "epochs"),
    "max_epochs": ("train", "epochs"), "scheduler": ("train", "schedule"), "lr_scheduler": ("train", "schedule"),
    "warmup": ("train", "warmup_epochs"), "pretrained": ("train", "weights"), "amp": ("train", "precision"),
    "ema": ("train", "ema_decay"), "gpus": ("train", "devices"), "num_gpus": ("train", "devices"),
    "gpu": ("device",), "cuda": ("device",), "seed": ("seeds",), "split": ("splits",), "fold": ("splits",),
    "arch": ("model", "depth"), "layers": ("model", "depth"), "clip_len": ("clip", "frames"),
    "num_frames": ("clip", "frames"), "crop_size": ("clip", "size"), "image_size": ("clip", "size"),
    "class": ("dataset", "classes"), "data": ("dataset",), "data_dir": ("dataset", "videos"),
    "protocol": ("evaluate", "protocols"), "output": ("run",), "experiment": ("run",), "name": ("run",),
} | {old: today for (_, old), today in RENAMED.items() if today}  # fmt: skip
NO_SETTINGS = dict.fromkeys(
    ("workers", "num_workers", "threads", "num_threads", "cores", "jobs"),
    "it is no setting: the number of threads follows from snakemake --cores",
) | {old: "it is no setting any more: leave it out" for (_, old), today in RENAMED.items() if not today}

KINDS = {
    "string_type": "text", "float_type": "a number", "int_type": "a whole number", "bool_type": "true or false",
    "list_type": "a list", "dict_type": "a group of settings", "model_type": "a group of settings",
    "finite_number": "a finite number", "string_too_short": "text that is not empty",
}  # fmt: skip
LONGEST_SHOWN = 200  # characters of a value
LIMITS = {
    "greater_than_equal": ("at least", "ge"), "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"), "less_than": ("less than", "lt"),
}  # fmt: skip


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return a sentence for a person about each mistake in the settings that `model` describes."""
    mistakes = sorted(error.errors(include_url=False), key=lambda mistake: [*map(str, mistake["loc"])])
    return [line for mistake in mistakes for line in _explain(mistake, model)]


def _explain(mistake: ErrorDetails, model: type[BaseModel]) -> Iterator[str]:
    path, value = mistake["loc"], mistake["input"]
    if mistake["type"] == "extra_forbidden":
        yield _unknown_key(path, value, model)
    elif path[-1] == "[key]":
        yield f"unknown key {_setting_name(path[:-1])}; expected {mistake['ctx']['expected']}"
    elif mistake["type"] == "repeated":
        for item, count in mistake["ctx"]["counts"].items():
            yield f"{_setting_name(path)}: {item} is listed {'twice' if count == 2 else f'{count} times'}"
    else:
        field = _field(model, path)
        expected, found = _expected(mistake, field), f"found {_found(value)}{_remedy(mistake)}"
        description = f" ({' '.join(field.description.split())})" if field else ""
        yield f"{_setting_name(path)}: expected {expected}, {found}{description}"


def _setting_name(path: Sequence[str | int]) -> str:
    """Return how a setting is called in messages: `train: epochs`, `splits: entry 2`."""
    return ": ".join(f"entry {part + 1}" if isinstance(part, int) else part for part in path)


def _fields(kind: Any) -> dict[str, FieldInfo]:
    """Return the settings in a section; none for anything else."""
    return kind.model_fields if inspect.isclass(kind) and issubclass(kind, BaseModel) else {}


def _field(model: type[BaseModel], path: Sequence[str | int]) -> FieldInfo | None:
    """Return what the model says about the setting at `path`; None for an item of a list or a mapping."""
    kind, field = model, None
    for name in path:
        field = _fields(kind).get(name)
        kind = field and field.annotation
    return field


def _paths(kind: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all settings and sections in a section."""
    for name, field in _fields(kind).items():
        yield (*above, name)
        yield from _paths(field.annotation, (*above, name))


def _expected(mistake: ErrorDetails, field: FieldInfo | None) -> str:
    """Return in words what is due in place of the value."""
    kind, value, context = mistake["type"], mistake["input"], mistake.get("ctx", {})
    match kind:
        case "int_type" if isinstance(value, float) and not math.isfinite(value):
            return KINDS["finite_number"]
        case "model_type":
            name, first = next(iter(_fields(field.annotation).items()))
            return f"{KINDS[kind]} such as {_flow({name: first.default})}"
        case "literal_error":
            choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
            near = difflib.get_close_matches(str(value).lower(), choices, n=1)
            return f"one of {', '.join(choices)}" + (f" (did you mean {near[0]}?)" if near else "")
        case "too_short" | "too_long":
            length = context.get("min_length", context.get("max_length"))
            return "a list that is not empty" if length == 1 else f"a list of {length} values"
        case "expected":
            return context["expected"]
    if kind in LIMITS:
        words, name = LIMITS[kind]
        return f"{words} {context[name]:.10g}"
    return KINDS.get(kind, "another value")


def _found(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {_shortened(repr(value))}"
        case int() | float():
            return _shortened(str(value))
    text = repr(value)
    return _flow(value) if len(text) <= LONGEST_SHOWN else _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… ({len(text)} characters)"


def _remedy(mistake: ErrorDetails) -> str:
    """Return how to write text that YAML takes for something else, or a list of one value; empty if that is no help."""
    value = mistake["input"]
    if mistake["type"] == "string_type" and isinstance(value, bool | int | float):
        return "; what is in quotes is text"
    if mistake["type"] == "list_type" and not isinstance(value, dict | None):
        return f"; a list is written [{value}]"
    return ""


def _flow(value: Any) -> str:
    """Return `value` as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=math.inf, sort_keys=False)
    return text.strip().removesuffix("\n...")


def _unknown_key(path: Sequence[str], value: Any, model: type[BaseModel]) -> str:
    """Say that there is no such key, and what may have been meant: here, elsewhere, or by another program's name."""
    *above, key = path
    siblings = list(_fields(_field(model, above).annotation if above else model))
    unknown = f"unknown key {_setting_name(path)}"
    plain = key.lower().replace("-", "_")
    if plain in NO_SETTINGS:
        return f"{unknown}; {NO_SETTINGS[plain]}"
    # Nobody who writes one value means a whole section.
    known = [path for path in _paths(model) if isinstance(value, dict) or not _fields(_field(model, path).annotation)]
    places = _meant(plain, tuple(above), siblings, known)
    if not places:
        return f"{unknown}; valid keys: {', '.join(siblings)}"
    if list(places[0][:-1]) == above:
        return f"{unknown}; did you mean {places[0][-1]}?"
    for name in reversed(places[0][1:]):
        value = {name: value}
    said = " or ".join(map(_setting_name, places))
    return f"{unknown}; did you mean {said}? Write --config {shlex.quote(f'{places[0][0]}={_flow(value)}')}"


def _meant(
    key: str, above: tuple[str, ...], siblings: list[str], everywhere: list[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Return the paths of the settings that `key`, found in the section `above`, may stand for."""
    if key in siblings:
        return [(*above, key)]
    if key in ALIASES:
        return [ALIASES[key]]
    if exact := [path for path in everywhere if path[-1] == key]:
        return exact
    if near := difflib.get_close_matches(key, siblings, n=1, cutoff=0.7):
        return [(*above, near[0])]
    if near := difflib.get_close_matches(key, [path[-1] for path in everywhere], n=1, cutoff=0.8):
        return [path for path in everywhere if path[-1] == near[0]]
    return [(*above, name) for name in difflib.get_close_matches(key, siblings, n=1, cutoff=0.5)]
