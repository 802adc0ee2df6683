"""The tables of the report, made of what a run and its data set left behind."""

import datetime
from pathlib import Path

import pandas as pd

from video3d import analysis
from video3d.provenance import weights
from video3d.results import Run, read_benchmarks, read_table

STAGES = (
    "make_demo_dataset", "download_videos", "download_splits", "unpack", "extract_frames", "audit", "make_splits",
    "train", "export", "evaluate", "accuracy",
)  # fmt: skip


def make_tables(run: Run, audit: pd.DataFrame, benchmarks: Path) -> dict[str, pd.DataFrame]:
    """Every table that the page shows, by name; those about predictions are of the run's first protocol."""
    predictions = first_protocol(run)
    return {
        "class_accuracy": analysis.class_table(predictions),
        "confused_pairs": analysis.confused_pairs(predictions),
        "mistakes": mistakes(predictions),
        "audit": audit_by_class(audit),
        "findings": audit.loc[audit["status"] != "ok", [column for column in audit if column != "group"]],
        "stages": stage_times(read_benchmarks(benchmarks, run.name, run.settings["dataset"]["name"]), run),
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


def stage_times(jobs: pd.DataFrame, run: Run) -> pd.DataFrame:
    """A row per rule in the order of the workflow, and their total.

    Columns: jobs, seconds in all (also as h:mm:ss), megabytes at the peak, GPU-hours. `jobs` is what Snakemake measured
    of each job's last attempt; a training knows all of its attempts, so those that took up another are not lost.
    """
    table = jobs.groupby("rule").agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), megabytes=("megabytes", "max")
    )
    attempts = [attempt["seconds"] for training in run.trainings.values() for attempt in training.get("attempts", [])]
    if attempts:
        table.loc["train", ["jobs", "seconds"]] = [len(run.trainings), sum(attempts)]
    table = table.reindex([name for name in STAGES if name in table.index])
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
        "evaluate": sum(each["seconds"] for each in run.evaluations if each["device"] == "gpu"),
    }
    seconds["total"] = sum(seconds.values())
    return {name: f"{value / 3600:.3g}" if value else "none: CPU" for name, value in seconds.items()}


def run_differences(run: Run, others: list[Run]) -> pd.DataFrame:
    """This run against each other one by each protocol that both have, on the videos that both predicted."""
    rows = []
    for other in others:
        for protocol in run.protocols:
            ours, theirs = (r.predictions[r.predictions["protocol"] == protocol] for r in (run, other))
            shared = analysis.on_shared_videos(ours, theirs)
            if len(shared):
                rows.append({"run": other.name, "protocol": protocol} | analysis.paired_difference(shared))
    return pd.DataFrame(rows, columns=["run", "protocol", "videos", "ours", "theirs", "difference", "low", "high"])
