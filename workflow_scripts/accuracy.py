"""Collect the scores of every split, seed and protocol of a run into one table, with their means.

In: the metrics.json of each evaluation, in results/<run>/split<k>/seed<s>/<protocol>/ with its predictions.csv beside
it. Out: accuracy.csv; scores are fractions, 0 to 1. Its rows:

- one per split, seed and protocol, with the 95 % interval of metrics.json; `weights` says whether they were trained
  here, given, replaced or unchecked, `trained_on` and `groups_trained_on` how many of the test videos, and of their
  groups, they were trained on: 0 unless a leak was allowed, empty where nobody knows;
- one per protocol with `split` and `seed` "mean": the mean over the splits of the mean over the seeds, its interval,
  and two standard deviations: `top1_std_seeds`, over the seeds, of the mean of the splits (empty if there is one seed),
  and `top1_std_splits`, over the splits, of the mean of the seeds (empty if there is one split).

The intervals say what other test videos could have changed; training anew is what `top1_std_seeds` is about.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from video3d.common.console import run
from video3d.common.data_frames import read_data_frame
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.dataset.video_table import DatasetVideo, read_videos
from video3d.evaluation.intervals import Estimate, proportion
from video3d.evaluation.metrics import SCORES

COLUMNS = [
    "split", "seed", "protocol", "weights", "videos", "left_out", "trained_on", "groups_trained_on",
    "top1", "top1_low", "top1_high", "top1_std_seeds", "top1_std_splits", "top5", "mean_class", "macro_f1",
    "calibration_error", "clip_top1",
]  # fmt: skip
FOLDER = re.compile(r"split(\d+)/seed(\d+)/(\w+)/metrics\.json$")


def read_row(path: Path) -> dict:
    """Return one row of the table from a metrics.json, with the predictions it rests on under `predictions`.

    Raises UserError if the file lies elsewhere than evaluations do, or is damaged, or its predictions do not match it.
    """
    place = FOLDER.search(path.as_posix())
    if not place:
        raise UserError(f"{path} is not where evaluations are: results/<run>/split<k>/seed<s>/<protocol>/metrics.json")
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        predictions = read_data_frame(path.with_name("predictions.csv"))
        estimates = {name: metrics["scores"][name] for name in SCORES}
        top1 = predictions["correct"].mean()
        class_names = {entry["class"] for entry in metrics["classes"]}
        weights = {"origin": "unchecked"} | (metrics.get("weights") or {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read the evaluation {path.parent}: {error}; evaluate again") from error
    if len(predictions) != metrics["videos"] or not np.isclose(top1, estimates["top1"]["value"]):
        raise UserError(f"{path} and predictions.csv beside it are of different evaluations; evaluate again")
    return {
        "split": int(place[1]),
        "seed": int(place[2]),
        "protocol": place[3],
        "videos": metrics["videos"],
        **{name: estimate["value"] for name, estimate in estimates.items()},
        "top1_low": estimates["top1"]["low"],
        "top1_high": estimates["top1"]["high"],
        "class_names": class_names,
        "weights": weights["origin"],
        "trained_on": weights.get("test_videos_trained_on"),
        "groups_trained_on": weights.get("test_groups_trained_on"),
        "predictions": predictions,
    }


def count_left_out(evaluation: dict, videos: Sequence[DatasetVideo] | None) -> int | None:
    """Return how many test videos of the data set's `videos`, of the model's classes, were not predicted.

    None where nobody knows the videos.
    """
    if videos is None:
        return None
    tested = (video for video in videos if video.subsets.get(evaluation["split"]) == "test")
    listed = {video.name for video in tested if video.class_name in evaluation["class_names"]}
    return len(listed - set(evaluation["predictions"]["video"]))


def mean_row(evaluations: Sequence[dict]) -> dict:
    """Return the mean over the splits of the mean over the seeds, for the evaluations of one protocol.

    Raises UserError if a split lacks a seed that another has, or if its seeds were evaluated on different videos.
    """
    table = pd.DataFrame(evaluations)
    splits = [part for _, part in table.groupby("split")]
    if len({tuple(sorted(part["seed"])) for part in splits}) > 1:
        raise UserError(f"protocol {table['protocol'][0]}: not every split was evaluated with every seed")
    mean = {name: np.mean([part[name].mean() for part in splits]) for name in SCORES}
    top1 = average_over_splits([average_over_seeds(part) for part in splits])
    first = [part.iloc[0] for part in splits]
    return mean | {
        "split": "mean",
        "seed": "mean",
        "protocol": table["protocol"][0],
        "weights": " and ".join(sorted(set(table["weights"]))),
        **{name: sum_known(splits, name) for name in ("trained_on", "groups_trained_on")},
        "videos": sum(row["videos"] for row in first),
        "left_out": None if any(pd.isna(row["left_out"]) for row in first) else sum(row["left_out"] for row in first),
        "top1": top1.value,
        "top1_low": top1.low,
        "top1_high": top1.high,
        "top1_std_seeds": table.groupby("seed")["top1"].mean().std(ddof=1),
        "top1_std_splits": table.groupby("split")["top1"].mean().std(ddof=1),
    }


def sum_known(splits: Sequence[pd.DataFrame], name: str) -> int | None:
    """Return the sum over the splits of the largest value of a column among the seeds; None if nothing is known."""
    most = [part[name].astype(float).max() for part in splits]
    total = int(np.nansum(most))
    return None if np.isnan(most).any() and not total else total


def average_over_seeds(part: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions of one split, `correct` being the mean over its seeds, a row per video.

    Raises UserError if its seeds were evaluated on different videos.
    """
    tables = [predictions.sort_values("video") for predictions in part["predictions"]]
    if any(list(table["video"]) != list(tables[0]["video"]) for table in tables):
        raise UserError(f"split {part['split'].iloc[0]}: its seeds were evaluated on different videos; evaluate again")
    return tables[0].assign(correct=np.mean([table["correct"].to_numpy() for table in tables], axis=0))


def average_over_splits(splits: Sequence[pd.DataFrame]) -> Estimate:
    """Return the mean of the accuracies of the splits, each of which counts alike, with its interval.

    Every split's groups are drawn by themselves: the test groups of one split are in no other's test list.
    """
    videos = pd.concat(splits, keys=range(len(splits)), names=["split"]).reset_index("split")
    return proportion(
        videos["correct"].to_numpy(),
        clusters=videos.groupby(["split", "label", "group"]).ngroup().to_numpy(),
        strata=videos["split"].to_numpy(),
        weights=1 / videos.groupby("split")["video"].transform("size").to_numpy(),
    )


def accuracy_table(metrics: Sequence[Path], videos: Sequence[DatasetVideo] | None) -> pd.DataFrame:
    """Return the whole table: by protocol a row per split and seed, in their order, and the mean."""
    evaluations = [read_row(path) for path in metrics]
    evaluations = [row | {"left_out": count_left_out(row, videos)} for row in evaluations]
    rows = []
    for protocol in dict.fromkeys(row["protocol"] for row in evaluations):
        chosen = [row for row in evaluations if row["protocol"] == protocol]
        rows += [*sorted(chosen, key=lambda row: (row["split"], row["seed"])), mean_row(chosen)]
    return (
        pd.DataFrame(rows)
        .reindex(columns=COLUMNS)
        .astype(dict.fromkeys(("videos", "left_out", "trained_on", "groups_trained_on"), "Int64"))
    )


def keep_settings(settings: str, path: Path) -> None:
    """Write the settings of the run, complete, beside the results that were made with them."""
    text = yaml.safe_dump(read_settings(settings).model_dump(), sort_keys=False, allow_unicode=True)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def main() -> None:
    """Collect the scores, and write and print their table."""
    arguments = parse_arguments()
    table = accuracy_table(arguments.metrics, read_videos(arguments.videos) if arguments.videos else None)
    if arguments.kept_settings:
        keep_settings(arguments.settings, arguments.kept_settings)
    with atomic_path(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    print(table.to_string(index=False, na_rep="", float_format="{:.4f}".format))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="the metrics.json of each evaluation")
    parser.add_argument("--videos", type=Path, help="table of the data set, videos.csv, to count the videos left out")
    parser.add_argument("--settings", help="the settings of the run as YAML, JSON or a file, to be kept")
    parser.add_argument("--kept-settings", type=Path, help="YAML to write with them, complete")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
