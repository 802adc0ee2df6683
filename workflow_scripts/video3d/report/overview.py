"""All runs of results/ beside each other, by what each of them left.

Nothing is made, and nothing is taken from the settings at hand. A run that is not finished, or cannot be read, is named
with the reason and has no numbers.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from video3d.common.errors import UserError
from video3d.common.printable import printable_lines
from video3d.common.settings import TrainSettings
from video3d.report.headline import MEAN, choose_answer, collect_scores
from video3d.report.notices import leak_notices
from video3d.report.paired_comparison import difference_table, leak_warnings
from video3d.report.results import Run, read_run
from video3d.report.stage_times import gpu_hours

SECTIONS_OF_MODELS = ("model", "clip", "frames")  # settings that an exported model keeps
# Settings that change no result, and those that the table of runs has.
NOT_COMPARED = {"run", "replace", "device", "predict", "report", "splits", "seeds"}
ABSENT = "–"


@dataclass(frozen=True)
class Overview:
    """The runs that are finished, and why the other folders of results/ have no numbers, by name."""

    runs: list[Run] = field(default_factory=list)
    without_numbers: dict[str, str] = field(default_factory=dict)


def read_runs(results: Path) -> Overview:
    """Return what is in the folders of results/, in the order of their names.

    Raises UserError if there is no such folder, or if it holds no run.
    """
    folders = sorted(path for path in results.glob("[!.]*") if path.is_dir())
    if not folders:
        raise UserError(f"there is no run in {results.absolute()}; an overview makes none: make one first")
    found = Overview()
    for folder in folders:
        if not (folder / "accuracy.csv").is_file():
            found.without_numbers[folder.name] = describe_unfinished(folder)
            continue
        try:
            run = read_run(folder)
            require_own_accuracy(run, folder / "accuracy.csv")
            found.runs.append(run)
        except UserError as error:
            found.without_numbers[folder.name] = f"cannot be read: {error}"
    return found


def describe_unfinished(folder: Path) -> str:
    """Return what there is of a run that has no accuracy.csv."""
    networks = list(folder.glob("split*/seed*"))
    trained = sum((network / "weights.json").is_file() for network in networks)
    begun = sum((network / "checkpoints").is_dir() for network in networks if not (network / "weights.json").is_file())
    evaluated = len(list(folder.glob("split*/seed*/*/metrics.json")))
    done = f"trainings finished: {trained}, begun: {begun}; evaluations finished: {evaluated}"
    return f"not finished: it has no accuracy.csv; {done}"


def require_own_accuracy(run: Run, path: Path) -> None:
    """Raise UserError unless accuracy.csv, at `path`, is of the predictions of the run, all of them.

    It is not while evaluations are made anew: until they are done the former table lies beside them.
    """
    keys = ["split", "seed", "protocol"]
    numbers = {name: pd.to_numeric(run.accuracy[name], errors="coerce") for name in ("split", "seed", "top1")}
    listed = run.accuracy.assign(**numbers).dropna(subset=["split", "seed"]).set_index(keys)["top1"].astype(float)
    found = run.predictions.groupby(keys)["correct"].mean()
    means = set(run.accuracy.loc[run.accuracy["split"] == MEAN, "protocol"])
    same = len(listed) == len(found) and set(listed.index) == set(found.index) and means == set(run.protocols)
    if not (same and np.allclose(listed.sort_index(), found.sort_index(), rtol=0, atol=1e-5)):
        raise UserError(f"{path} is not of the predictions beside it; run the workflow again for this run")


def table_of_runs(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a row per run and protocol: the mean of its splits with the 95 % interval, and what it was measured on.

    Fractions are 0 to 1.
    """
    rows = []
    for run in runs:
        scores = collect_scores(run)
        origins = dict.fromkeys(model["weights"]["origin"] for model in run.models.values())
        for protocol in run.protocols:
            score = choose_answer(scores, protocol)
            rows.append(
                {
                    "run": run.name,
                    "data_set": run.settings.dataset.name,
                    "classes": len(run.class_names),
                    "protocol": protocol,
                    "splits": ", ".join(map(str, run.settings.splits)),
                    "seeds": ", ".join(map(str, run.settings.seeds)),
                    "weights": ", ".join(origins),
                    "videos": score.videos,
                    "top1": score.top1,
                    "low": score.low,
                    "high": score.high,
                    "mean_class": score.mean_class,
                }
            )
    columns = ["run", "data_set", "classes", "protocol", "splits", "seeds", "weights", "videos", "top1", "low", "high",
               "mean_class"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def table_of_costs(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a row per run: hours of its trainings, of its evaluations, and of GPUs, as these noted them.

    Empty where nobody noted it: weights that were given have no training here, and those of version 0.1 no times.
    """
    rows = []
    for run in runs:
        times = [sum(each["seconds"] for each in training["attempts"])
                 for training in run.trainings.values() if training.get("attempts")]  # fmt: skip
        devices = dict.fromkeys(training.get("device", "") for training in run.trainings.values())
        rows.append(
            {
                "run": run.name,
                "networks": len(run.models),
                "trained_here": len(run.trainings),
                "device": ", ".join(filter(None, devices)),
                "training_hours": sum(times) / 3600 if times and len(times) == len(run.trainings) else None,
                "evaluation_hours": sum(each["seconds"] for each in run.evaluations.values()) / 3600,
                "gpu_hours": gpu_hours(run)["total"],
            }
        )
    columns = ["run", "networks", "trained_here", "device", "training_hours", "evaluation_hours", "gpu_hours"]
    return pd.DataFrame(rows, columns=columns).astype({"training_hours": float})


def table_of_settings(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a row per setting that is not the same in all runs that had it: column setting, and one for each run."""
    recorded = {run.name: recorded_settings(run) for run in runs}
    rows = []
    for name in dict.fromkeys(name for settings in recorded.values() for name in settings):
        if len({settings[name] for settings in recorded.values() if name in settings}) > 1:
            rows.append({"setting": name} | {run: settings.get(name, ABSENT) for run, settings in recorded.items()})
    return pd.DataFrame(rows, columns=["setting", *recorded])


def recorded_settings(run: Run) -> dict[str, str]:
    """Return the settings that a run was made with, as text by dotted name.

    What the exported models and the trainings noted themselves comes from there, several values where networks of a run
    differ; the rest from config.yaml. Settings of training that none of the evaluated weights had are left out.
    """
    settings = {name: value for name, value in run.settings.model_dump().items() if name not in NOT_COMPARED}
    of_training = [
        {
            "train": TrainSettings.model_validate(training["train"]).model_dump(),
            "code": {"commit": training.get("commit")},
        }
        for training in run.trainings.values()
    ]
    of_models = [{name: model[name] for name in SECTIONS_OF_MODELS} for model in run.models.values()]
    of_run = {name: value for name, value in settings.items() if name not in {"train", *SECTIONS_OF_MODELS}}
    values: dict[str, dict[str, None]] = {}
    for source in (of_run, *of_models, *of_training):
        for name, value in source.items():
            named = (
                {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, Mapping) else {name: value}
            )
            for setting, each in named.items():
                values.setdefault(setting, {})[_as_text(each)] = None
    return {name: " / ".join(texts) for name, texts in values.items()}


def _as_text(value: Any) -> str:
    """Return the value of a setting as people write it."""
    if isinstance(value, Mapping):
        value = [f"{key}: {_as_text(each)}" for key, each in value.items()]
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return ABSENT if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)


def compare_pairs(runs: Sequence[Run]) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Compare every two runs of the same classes, video by video.

    Returns the differences (run − other_run) as a `difference_table` has them, what must be said above it, and which
    runs were not compared, and why.
    """
    tables, warnings, apart, disjoint = [], [], [], []
    for run, other in itertools.combinations(runs, 2):
        if run.class_names != other.class_names:
            apart.append(f"{run.name} with {other.name}")
            continue
        table = difference_table(run, [other])
        if table.empty:
            disjoint.append(f"{run.name} with {other.name}")
            continue
        warnings += leak_warnings(run, table)
        names = {"run": "other_run", "ours": "top1", "theirs": "other_top1"}
        tables.append(table.rename(columns=names).assign(run=run.name))
    columns = ["run", "other_run", "protocol", "videos", "top1", "other_top1", "difference", "low", "high"]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    reasons = {"they tell other classes apart": apart, "no protocol and test video in common": disjoint}
    skipped = [f"Not compared, {reason}: {'; '.join(pairs)}." for reason, pairs in reasons.items() if pairs]
    return found[columns], list(dict.fromkeys(warnings)), skipped


def collect_warnings(runs: Sequence[Run]) -> list[str]:
    """Return what must be said before any number: the notes of the runs, and networks that know their test videos."""
    said: dict[str, list[str]] = {}
    for run in runs:
        notes = [run.settings.report.note] if run.settings.report.note else []
        for text in leak_notices(run) + notes:
            said.setdefault(printable_lines(text), []).append(run.name)
    return [f"{', '.join(names)}: {text}" for text, names in said.items()]


def one_table(overview: Overview) -> pd.DataFrame:
    """Return all of it as one table: a row per run and protocol, then the runs without numbers, with the reason.

    Columns of settings that differ have their dotted names.
    """
    runs = overview.runs
    settings = table_of_settings(runs).set_index("setting").T.rename_axis("run").reset_index()
    table = table_of_runs(runs).assign(status="finished")
    table = table.merge(table_of_costs(runs), on="run").merge(settings, on="run") if runs else table
    others = pd.DataFrame(
        [{"run": name, "status": reason} for name, reason in overview.without_numbers.items()],
        columns=["run", "status"],
    )
    return pd.concat([table, others], ignore_index=True) if len(others) else table
