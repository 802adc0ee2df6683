"""A run is bound to its settings: what a call would replace, told setting by setting before anything runs."""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.settings import Settings
from video3d.common.settings_renamed import with_todays_names
from video3d.report import run_files

# The audit and the split tables of a run depend on these.
SETTINGS_OF_TABLES = (
    *(f"dataset.{name}" for name in ("name", "format", "groups", "folds", "draw_seed", "faulty_videos")),
    *("frames", "validation_groups", "clip.frames"),
)
# Its trainings depend on more.
SETTINGS_OF_TRAININGS = (*SETTINGS_OF_TABLES, "model", "clip", "train")
# What is made anew within minutes, so nobody is asked.
SETTINGS_OF_EVALUATIONS = ("splits", "seeds", "evaluate")
DEFAULTS = Settings().model_dump()
LEFT_NOTHING_OUT = ("dataset.faulty_videos", "stop")
WITHOUT_ORDER = {"validation_groups", "dataset.classes"}
WAYS_OUT = (
    "Give the new settings a run of their own (run: <name>, or --config run=<name>), or replace what is there: "
    "--config replace=true. (A call that forgot its --configfile or its --config looks like this, too.)"
)


def refusal(
    run: Path, trainings: Sequence[Path], settings: Settings, classes: Sequence[str], binding=SETTINGS_OF_TRAININGS
) -> str:
    """Return why this call must not go on: what it would replace, and the ways out; empty if it may go on.

    Args:
        run: the folder of the run, results/<run>.
        trainings: folders <run>/split<k>/seed<s>; those whose training is not finished do not count.
        settings: all settings of this call.
        classes: the names of the classes that the settings stand for.
        binding: the names of the settings, or of sections, that must be those of the finished trainings.
    """
    changed: dict[str, str] = {}
    lost = []
    for folder in trainings:
        if not (folder / "weights.pdparams").is_file():
            continue
        made = read_training(folder)
        found = (
            dict(differences(made, settings, classes, binding)) if made else {f"{folder}/weights.json": "unreadable"}
        )
        if found:
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
            WAYS_OUT,
        ]
    )


def read_training(folder: Path) -> dict[str, Any]:
    """Return what the description of the training in `folder` says; empty if it cannot be read.

    Settings that version 0.1 did not keep there are taken from the config.yaml of the run.
    """
    made = with_todays_names(read_mapping(folder / "weights.json"))
    kept = _kept(folder.parents[1]) if made and "frames" not in made else {}
    return {name: kept[name] for name in ("dataset", "frames", "validation_groups") if name in kept} | made


def differences(
    made: Mapping, settings: Settings, classes: Sequence[str], binding: Sequence[str] = SETTINGS_OF_TRAININGS
) -> Iterator[tuple[str, str]]:
    """Yield the `binding` settings in which `made`, a weights.json, differs from `settings`: name, and `old → new`.

    A setting that an older version did not have had its default. Faulty videos that were left out are the only ones
    that `dataset.faulty_videos` matters for: where it said `stop`, there were none.
    """
    asked = settings.model_dump()
    for name in binding:
        for setting, default in _leaves(name):
            if setting.partition(".")[0] in made:
                old, new = _value(made, setting, default), _value(asked, setting, default)
                if _comparable(setting, old) != _comparable(setting, new) and (setting, old) != LEFT_NOTHING_OUT:
                    yield setting, f"{_text(old)} → {_text(new)}"
    labels = made.get("labels")
    if isinstance(labels, list) and sorted(map(str, labels)) != sorted(classes):
        yield "dataset.classes", f"{_text(labels)} → {_text(list(classes))}"
    start, weights = str(_value(made, "start.sha256", "")), settings.train.weights
    if start and "train" in binding and weights and Path(weights).is_file() and start != sha256(weights):
        yield "the file of train.weights", f"SHA-256 {start[:12]}… → {sha256(weights)[:12]}…"


def evaluation_changes(run: Path, settings: Settings) -> str:
    """Return what is evaluated anew with other settings than those beside the accuracies: `old → new`, or nothing."""
    kept, asked = _kept(run), settings.model_dump()
    changes = [
        f"{setting}: {_text(old)} → {_text(new)}"
        for name in SETTINGS_OF_EVALUATIONS
        for setting, default in _leaves(name)
        if (old := _value(kept, setting, default)) != (new := _value(asked, setting, default))
    ]
    return ", ".join(changes) if kept else ""


def describe_training(folder: Path, made: Mapping) -> str:
    """Return a line about a finished training: where it is, how long it was, when it ended."""
    ended = datetime.datetime.fromtimestamp((folder / "weights.pdparams").stat().st_mtime)
    epochs = _value(made, "train.epochs", "?")
    return f"{folder.parent.name}/{folder.name}: {epochs} epochs, finished {ended:%Y-%m-%d %H:%M}"


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a JSON or YAML file of a run; empty if it cannot be read."""
    try:
        return run_files.read_mapping(path)
    except (UserError, OSError):
        return {}


def _kept(run: Path) -> dict[str, Any]:
    """Return the settings beside the accuracies of a run under the names of today; empty if there are none."""
    return with_todays_names(read_mapping(run / "config.yaml"))


def _leaves(name: str) -> list[tuple[str, Any]]:
    """Return the settings below `name` with their defaults; `name` itself if it is a setting."""
    default = _value(DEFAULTS, name, None)
    if isinstance(default, dict) and default:  # a mapping that is empty by default is a setting
        return [leaf for key in default for leaf in _leaves(f"{name}.{key}")]
    return [(name, default)]


def _value(settings: Mapping, setting: str, default: Any) -> Any:
    value: Any = settings
    for key in setting.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value


def _comparable(setting: str, value: Any) -> Any:
    return sorted(value, key=str) if setting in WITHOUT_ORDER and isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) > 6:
        return f"[{', '.join(map(str, value[:5]))}, … {len(value)} in all]"
    return json.dumps(value, ensure_ascii=False)
