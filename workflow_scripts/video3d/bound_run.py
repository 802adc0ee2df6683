"""A run is bound to its settings: what a call would replace, told setting by setting before anything runs."""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from video3d.config import schema

# The settings that the outcome of a training depends on; weights.json keeps them beside the weights.
BINDING = ("dataset.name", "frames", "validation_groups", "model", "clip", "train")
CLASSES = "dataset.classes"


def refusal(run: Path, trainings: Sequence[Path], settings: Mapping, classes: Sequence[str]) -> str:
    """Why this call must not go on: the finished `trainings` that were made with other settings, and the ways out.

    `trainings` are folders <run>/split<k>/seed<s>, `classes` the names that the settings stand for. Empty if nothing
    that is finished would be replaced, by other settings at least.
    """
    changed: dict[str, str] = {}
    lost = []
    for folder in trainings:
        made = read_training(folder)
        if made and (found := dict(differences(made, settings, classes))):
            changed |= found
            lost.append(describe_training(folder, made))
    if not lost:
        return ""
    lines = [f"  {setting}: {change}" for setting, change in changed.items()]
    return "\n".join(
        [
            f"{run}/ holds what was trained with other settings, and this call would replace it:",
            *lines,
            "It would lose:",
            *(f"  {line}" for line in lost),
            "Give the new settings a run of their own (run: <name>, or --config run=<name>), or replace what is there: "
            "--config replace=true. (A call that forgot its --configfile or its --config looks like this, too.)",
        ]
    )


def read_training(folder: Path) -> dict[str, Any] | None:
    """What the description of a finished training says; None if there is no finished training in `folder`."""
    if not (folder / "weights.pdparams").is_file():
        return None
    try:
        made = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made if isinstance(made, dict) else None


def differences(made: Mapping, settings: Mapping, classes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The binding settings in which `made`, a weights.json, differs from `settings`: their names, and `old → new`.

    What an older version of this project did not keep is passed over; a setting that it did not have had its default.
    """
    for name in BINDING:
        for setting, default in _leaves(name):
            section = setting.partition(".")[0]
            if section in made:
                old, new = _value(made, setting, default), _value(settings, setting, default)
                if old != new:
                    yield setting, f"{_text(old)} → {_text(new)}"
    if "labels" in made and set(made["labels"]) != set(classes):
        yield CLASSES, f"{_text(made['labels'])} → {_text(list(classes))}"


def evaluated_weights(folder: Path) -> str:
    """The file of weights that the evaluation in `folder`, <run>/split<k>/seed<s>, is of; empty if there is none."""
    try:
        return json.loads((folder / "model" / "metadata.json").read_text(encoding="utf-8"))["weights"]["source"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def evaluation_changes(folder: Path, settings: Mapping) -> str:
    """The `settings` of the section `evaluate` by which the evaluation in `folder` was not made; empty if all were."""
    try:
        made = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    changes = [(name, made.get(name, new), new) for name, new in settings.items()]
    return ", ".join(f"evaluate.{name}: {_text(old)} → {_text(new)}" for name, old, new in changes if old != new)


def describe_training(folder: Path, made: Mapping) -> str:
    """A line for one finished training: where it is, when it ended, how long it was."""
    ended = datetime.datetime.fromtimestamp((folder / "weights.pdparams").stat().st_mtime)
    epochs = made.get("train", {}).get("epochs", "?")
    return f"{folder.parent.name}/{folder.name}: {epochs} epochs, finished {ended:%Y-%m-%d %H:%M}"


def _leaves(name: str) -> list[tuple[str, Any]]:
    """The settings below `name` with their defaults, as the schema has them; `name` itself if it has no parts."""
    part = schema()
    for key in name.split("."):
        part = part["properties"][key]
    if "properties" not in part:
        return [(name, part.get("default"))]
    return [(f"{name}.{key}", below.get("default")) for key, below in part["properties"].items()]


def _value(settings: Mapping, setting: str, default: Any) -> Any:
    value: Any = settings
    for key in setting.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) > 6:
        return f"[{', '.join(map(str, value[:5]))}, … {len(value)} in all]"
    return json.dumps(value, ensure_ascii=False)
