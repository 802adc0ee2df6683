"""The time of every job that the results of a run rest on, from Snakemake's benchmark files."""

import datetime
import math
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from video3d.dataset.safe_names import safe_name
from video3d.report.results import Run


def read_jobs(folder: Path, run: Run, class_names: Collection[str]) -> pd.DataFrame:
    """Return the time of every job that the evaluated results rest on: columns rule, seconds, megabytes (peak memory).

    Snakemake writes benchmarks/<rule>/….tsv below `folder` when a job ends: what is there for other runs, for other
    classes of the data set than `class_names`, or for weights that are not evaluated, does not count. Snakemake knows
    the last attempt of each job only; a training knows all of its attempts, which count instead.
    """
    attempts = {
        f"{run.name}/split{split}_seed{seed}": sum(attempt["seconds"] for attempt in training["attempts"])
        for (split, seed), training in run.trainings.items()
        if training.get("attempts")
    }
    rows = []
    for rule, names in _benchmark_names(run, class_names).items():
        for name in names:
            seconds, megabytes = _read_newest(Path(folder, rule), f"{name}.tsv")
            rows.append((rule, attempts.get(name, seconds) if rule == "train" else seconds, megabytes))
    return pd.DataFrame(rows, columns=["rule", "seconds", "megabytes"]).dropna(subset="seconds", ignore_index=True)


def _read_newest(folder: Path, pattern: str) -> tuple[float, float]:
    """Return seconds and megabytes of the newest benchmark file of that name; NaN where none is, or it does not say."""
    files = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        return math.nan, math.nan
    table = pd.read_csv(files[-1], sep="\t").apply(pd.to_numeric, errors="coerce")
    return table["s"].sum(min_count=1), table["max_rss"].max()


def _benchmark_names(run: Run, class_names: Collection[str]) -> dict[str, list[str]]:
    """Return the names of the benchmark files of a run by rule, in the order of the workflow.

    Every file of weights that was ever given has one of check_weights, of which the newest counts.
    """
    name, dataset = run.name, run.settings.dataset.name
    networks = {key: f"{name}/split{key[0]}_seed{key[1]}" for key in run.models}
    return {
        "make_demo_dataset": [dataset],
        "download_videos": [dataset],
        "download_splits": [dataset],
        "unpack": [dataset],
        "extract_frames": [f"{dataset}/{safe_name(name)}" for name in class_names],
        "list_videos": [dataset],
        "audit": [name],
        "make_splits": [f"{name}/split{split}" for split in run.settings.splits],
        "train": [networks[key] for key in run.trainings],
        "check_weights": [f"{network}_*" for network in networks.values()],
        "export": list(networks.values()),
        "evaluate": [f"{network}_{protocol}" for network in networks.values() for protocol in run.protocols],
        "accuracy": [name],
    }


def sum_by_rule(jobs: pd.DataFrame, run: Run) -> pd.DataFrame:
    """Return a row per rule in the order of `read_jobs`, and their total.

    Columns: jobs, seconds in all (also as h:mm:ss), megabytes at the peak, GPU-hours.
    """
    table = jobs.groupby("rule", sort=False).agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), megabytes=("megabytes", "max")
    )
    table.loc["total"] = [table["jobs"].sum(), table["seconds"].sum(), table["megabytes"].max()]
    table["jobs"] = table["jobs"].astype(int)
    table.insert(2, "time", [str(datetime.timedelta(seconds=round(seconds))) for seconds in table["seconds"]])
    hours = gpu_hours(run)
    table["gpu_hours"] = [format_gpu_hours(hours[name]) if name in hours else "" for name in table.index]
    return table.reset_index(names="rule")


def gpu_hours(run: Run) -> dict[str, float]:
    """Return the hours of GPUs for training (seconds × devices), for evaluation, and in all; by rule."""
    seconds = {
        "train": sum(
            attempt["seconds"] * training["train"]["devices"]
            for training in run.trainings.values()
            for attempt in training.get("attempts", [])
            if attempt["device"] == "gpu"
        ),
        "evaluate": sum(each["seconds"] for each in run.evaluations.values() if each["device"] == "gpu"),
    }
    seconds["total"] = sum(seconds.values())
    return {name: value / 3600 for name, value in seconds.items()}


def format_gpu_hours(hours: float) -> str:
    """Return hours of GPUs as text."""
    return f"{hours:.3g}" if hours else "none: CPU"
