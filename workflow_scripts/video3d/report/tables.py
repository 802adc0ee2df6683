"""The tables of the report, made of what a run and its data set left behind: its audit, its splits, its results."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from video3d.dataset import audit_table, split_table
from video3d.report import analysis
from video3d.report.provenance import describe_weights
from video3d.report.results import Run
from video3d.report.stage_times import read_jobs, sum_by_rule


def read_audit(folder: Path) -> pd.DataFrame:
    """Return the audit of a run: every listed video and what was found."""
    return pd.DataFrame(audit_table.read_audit(folder / "audit.csv"), columns=audit_table.COLUMNS)


def read_splits(folder: Path, splits: Iterable[int]) -> pd.DataFrame:
    """Return the split tables of a run below each other, with the column `split` after theirs."""
    tables = [
        pd.DataFrame(
            split_table.read_split(folder / "splits" / f"split{split}.csv"), columns=split_table.COLUMNS
        ).assign(split=split)
        for split in splits
    ]
    return pd.concat(tables, ignore_index=True)


def make_tables(run: Run, audit: pd.DataFrame, benchmarks: Path) -> dict[str, pd.DataFrame]:
    """Return every table that the page shows, by name; those about predictions are of the run's first protocol."""
    return {
        "class_accuracy": analysis.class_accuracy(run.first_predictions),
        "confused_pairs": analysis.confused_pairs(run.first_predictions),
        "mistakes": list_mistakes(run.first_predictions),
        "audit": count_statuses(audit),
        "findings": audit.loc[audit["status"] != "ok", [column for column in audit if column != "group"]],
        "stages": sum_by_rule(read_jobs(benchmarks, run, audit["class"].unique()), run),
        "weights": describe_weights(run),
    }


def list_mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return every mistake, the most confident first: its highest probability, and how many seeds made it."""
    keys = ["video", "class", "predicted_class", "split"]
    wrong = predictions[~predictions["correct"]].groupby(keys, as_index=False, sort=False)
    table = wrong.agg(probability=("top1_probability", "max"), seeds=("seed", "size"))
    return table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)


def count_statuses(audit: pd.DataFrame) -> pd.DataFrame:
    """Return a row per class: its videos and how many of them have each status, `ok` first."""
    counts = audit.groupby(["class", "status"]).size().unstack(fill_value=0)
    counts = counts[sorted(counts.columns, key=lambda status: (status != "ok", status))]
    counts.insert(0, "videos", counts.sum(axis=1))
    return counts.reset_index()


def audit_sentence(statuses: pd.DataFrame) -> str:
    """Return one sentence about `count_statuses`: how many videos were looked for and what was found."""
    total = statuses.drop(columns="class").sum()
    found = ", ".join(f"{int(total[status]):,} {status}" for status in total.index.drop("videos"))
    return f"{int(total['videos']):,} videos of {len(statuses)} classes, decoded frame by frame: {found}."
