"""The tables of the report, made of what a run and its data set left behind."""

import datetime
import math
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from video3d.report import analysis
from video3d.report.provenance import weights
from video3d.report.results import Run, read_table


def make_tables(run: Run, audit: pd.DataFrame, benchmarks: Path) -> dict[str, pd.DataFrame]:
    """Every table that the page shows, by name; those about predictions are of the run's first protocol."""
    predictions = first_protocol(run)
    return {
        "class_accuracy": analysis.class_table(predictions),
        "confused_pairs": analysis.confused_pairs(predictions),
        "mistakes": mistakes(predictions),
        "audit": audit_by_class(audit),
        "findings": audit.loc[audit["status"] != "ok", [column for column in audit if column != "group"]],
        "stages": stage_times(read_jobs(benchmarks, run, audit["class"].unique()), run),
        "weights": weights(run),
    }


def first_protocol(run: Run) -> pd.DataFrame:
    """The predictions by the first protocol of the settings, which all figures but the headline are about."""
    return run.predictions[run.predictions["protocol"] == run.protocols[0]]


def read_audit(run: Path) -> pd.DataFrame:
    """The table of all listed videos and what was found."""
    return read_table(run / "audit.csv", {"video", "class", "status"})


def read_splits(run: Path, splits: list[int]) -> pd.DataFrame:
    """The split tables, with the column `split` before theirs."""
    columns = {"video", "class", "group", "subset", "frames"}
    tables = [read_table(run / "splits" / f"split{split}.csv", columns).assign(split=split) for split in splits]
    return pd.concat(tables, ignore_index=True)


def mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Every mistake, the most confident first: its highest probability, and how many seeds made it."""
    keys = ["video", "class", "predicted_class", "split"]
    wrong = predictions[~predictions["correct"]].groupby(keys, as_index=False, sort=False)
    table = wrong.agg(probability=("top1_probability", "max"), seeds=("seed", "size"))
    return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)


def audit_by_class(audit: pd.DataFrame) -> pd.DataFrame:
    """A row per class: its videos and how many of them have each status, `ok` first."""
    counts = audit.groupby(["class", "status"]).size().unstack(fill_value=0)
    counts = counts[sorted(counts.columns, key=lambda status: (status != "ok", status))]
    counts.insert(0, "videos", counts.sum(axis=1))
    return counts.reset_index()


def audit_summary(by_class: pd.DataFrame) -> str:
    """One sentence: how many videos were looked for and what was found."""
    total = by_class.drop(columns="class").sum()
    found = ", ".join(f"{int(total[status]):,} {status}" for status in total.index.drop("videos"))
    return f"{int(total['videos']):,} videos of {len(by_class)} classes, decoded frame by frame: {found}."


def read_jobs(folder: Path, run: Run, classes: Collection[str]) -> pd.DataFrame:
    """The time of every job that the evaluated results rest on: columns rule, seconds, megabytes (peak memory).

    Snakemake writes benchmarks/<rule>/….tsv below `folder` when a job ends: what is there for other runs, for other
    classes of the data set than `classes`, or for weights that are not evaluated, is not looked at. It knows the last
    attempt of each job only; a training knows all of its attempts, which count instead.
    """
    attempts = {
        f"{run.name}/split{split}_seed{seed}": sum(attempt["seconds"] for attempt in training["attempts"])
        for (split, seed), training in run.trainings.items()
        if training.get("attempts")
    }
    rows = []
    for rule, names in _benchmarks(run, classes).items():
        for name in names:
            seconds, megabytes = _measured(Path(folder, rule), f"{name}.tsv")
            rows.append((rule, attempts.get(name, seconds) if rule == "train" else seconds, megabytes))
    return pd.DataFrame(rows, columns=["rule", "seconds", "megabytes"]).dropna(subset="seconds", ignore_index=True)


def _measured(folder: Path, pattern: str) -> tuple[float, float]:
    """Seconds and megabytes of the newest benchmark file of that name; NaN where there is none, or it does not say."""
    files = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        return math.nan, math.nan
    table = pd.read_csv(files[-1], sep="\t").apply(pd.to_numeric, errors="coerce")
    return table["s"].sum(min_count=1), table["max_rss"].max()


def _benchmarks(run: Run, classes: Collection[str]) -> dict[str, list[str]]:
    """The names of the benchmark files of a run by rule, in the order of the workflow.

    Every file of weights that was ever given has one of check_weights, of which the newest counts.
    """
    name, dataset = run.name, run.settings.dataset.name
    networks = {key: f"{name}/split{key[0]}_seed{key[1]}" for key in run.models}
    return {
        "make_demo_dataset": [dataset],
        "download_videos": [dataset],
        "download_splits": [dataset],
        "unpack": [dataset],
        "extract_frames": [f"{dataset}/{class_name}" for class_name in classes],
        "audit": [name],
        "make_splits": [f"{name}/split{split}" for split in run.settings.splits],
        "train": [networks[key] for key in run.trainings],
        "check_weights": [f"{network}_*" for network in networks.values()],
        "export": list(networks.values()),
        "evaluate": [f"{network}_{protocol}" for network in networks.values() for protocol in run.protocols],
        "accuracy": [name],
    }


def stage_times(jobs: pd.DataFrame, run: Run) -> pd.DataFrame:
    """A row per rule in the order of `read_jobs`, and their total.

    Columns: jobs, seconds in all (also as h:mm:ss), megabytes at the peak, GPU-hours.
    """
    table = jobs.groupby("rule", sort=False).agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), megabytes=("megabytes", "max")
    )
    table.loc["total"] = [table["jobs"].sum(), table["seconds"].sum(), table["megabytes"].max()]
    table["jobs"] = table["jobs"].astype(int)
    table.insert(2, "time", [str(datetime.timedelta(seconds=round(seconds))) for seconds in table["seconds"]])
    hours = gpu_hours(run)
    table["gpu_hours"] = [hours.get(name, "") for name in table.index]
    return table.reset_index(names="rule")


def gpu_hours(run: Run) -> dict[str, str]:
    """The hours of GPUs for training (seconds × devices), for evaluation, and in all; by rule, as text."""
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
    return {name: f"{value / 3600:.3g}" if value else "none: CPU" for name, value in seconds.items()}


def run_differences(run: Run, others: list[Run]) -> pd.DataFrame:
    """This run against each other one by each protocol that both have, on the videos that both predicted.

    The last columns count those of the videos that either run was trained on; see `analysis.known_videos`.
    """
    rows = []
    for other in others:
        for protocol in run.protocols:
            ours, theirs = (r.predictions[r.predictions["protocol"] == protocol] for r in (run, other))
            shared = analysis.on_shared_videos(ours, theirs)
            if len(shared):
                known = analysis.known_videos(shared, {"ours": ours, "theirs": theirs})
                rows.append({"run": other.name, "protocol": protocol} | analysis.paired_difference(shared) | known)
    known = [f"{column}_{side}" for column in analysis.KNOWN for side in ("ours", "theirs")]
    columns = ["run", "protocol", "videos", "ours", "theirs", "difference", "low", "high", *known]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(known, "Int64"))


def comparison_notices(run: Run, differences: pd.DataFrame) -> list[str]:
    """What must be said above `run_differences`: which of the runs were trained on the videos that they share."""
    said = [
        analysis.leak(f"run {name}", row["protocol"], row, side)
        for _, row in differences.iterrows()
        for name, side in ((run.name, "ours"), (row["run"], "theirs"))
    ]
    return list(dict.fromkeys(filter(None, said)))
