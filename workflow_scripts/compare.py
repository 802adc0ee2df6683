"""Compare two runs on the test videos that both have predicted, video by video.

In: two folders results/<run>/ with accuracy.csv and the predictions it lists. Out: for each protocol of both, a row per
split and one for all splits together: the top-1 accuracy of either run, the difference b - a with its 95 % bootstrap
interval over whole groups, how many videos one run alone got right, and the p-value of the paired sign-flip permutation
test over whole groups. Several seeds are averaged video by video. Fractions are 0 to 1.
Example: python workflow_scripts/compare.py results/reference results/paper
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from video3d import scores
from video3d.console import UserError, run
from video3d.output import add_output_arguments, write_output
from video3d.results import read_table

VIDEO = ["protocol", "split", "video", "label", "group"]


def read_run(folder: Path) -> pd.DataFrame:
    """The answers of a run: columns protocol, split, video, label, group, correct (mean over seeds), seeds.

    Only those that accuracy.csv lists: others in the folder are of former settings. Raises UserError if the folder has
    no such table or no predictions, or if one of them is damaged.
    """
    if not (folder / "accuracy.csv").is_file():
        raise UserError(f"{folder} has no accuracy.csv; give results/<run> of a finished run")
    listed = read_table(folder / "accuracy.csv", {"split", "seed", "protocol"}).query("split != 'mean'")
    tables = []
    for split, seed, protocol in listed[["split", "seed", "protocol"]].itertuples(index=False):
        path = folder / f"split{split}" / f"seed{seed}" / protocol / "predictions.csv"
        table = read_table(path, {"video", "label", "group", "correct"})
        tables.append(table.assign(split=int(split), protocol=protocol))
    answers = pd.concat(tables).groupby(VIDEO)["correct"]
    return answers.agg(correct="mean", seeds="size").reset_index()


def compare_runs(a: Path, b: Path) -> pd.DataFrame:
    """The table of the comparison. Raises UserError if the runs share no protocol and video, or not the classes."""
    answers_a, answers_b = read_run(a), read_run(b)
    same = answers_a.merge(answers_b, on="video", suffixes=("_a", "_b"))
    if (same["label_a"] != same["label_b"]).any():
        raise UserError(
            f"{a} and {b} tell other classes apart (dataset: classes:); their accuracies cannot be compared"
        )
    both = answers_a.merge(answers_b, on=VIDEO, how="outer", suffixes=("_a", "_b"), indicator=True)
    shared = both[both["_merge"] == "both"]
    if shared.empty:
        raise UserError(f"{a} and {b} have no protocol and test video in common; nothing can be compared")
    for protocol in shared["protocol"].unique():
        alone = both[(both["protocol"] == protocol) & (both["_merge"] != "both")]
        if len(alone):
            logging.warning("%s: %d videos are in one run only and left out", protocol, len(alone))
    rows = []
    for protocol, answers in shared.groupby("protocol", sort=False):
        rows += [compare_answers(protocol, str(split), part) for split, part in answers.groupby("split")]
        rows.append(compare_answers(protocol, "all", answers))
    return pd.DataFrame(rows)


def compare_answers(protocol: str, split: str, answers: pd.DataFrame) -> dict:
    """One row of the table."""
    columns = [answers[name].to_numpy() for name in ("correct_a", "correct_b", "label", "group")]
    result = scores.compare(*columns)
    return {
        "protocol": protocol,
        "split": split,
        "videos": result.videos,
        "seeds_a": int(answers["seeds_a"].max()),
        "seeds_b": int(answers["seeds_b"].max()),
        "top1_a": result.top1_a,
        "top1_b": result.top1_b,
        "difference": result.difference.value,
        "difference_low": result.difference.low,
        "difference_high": result.difference.high,
        "only_a": result.only_a,
        "only_b": result.only_b,
        "p_value": result.p_value,
    }


def table_for_people(table: pd.DataFrame, a: Path, b: Path) -> str:
    """The table as text, with what its letters mean."""
    lines = [f"a: {a}", f"b: {b}", table.to_string(index=False, float_format="{:.4f}".format)]
    return "\n".join(
        [*lines, "difference: b - a; low, high: 95 % bootstrap over groups; p: sign-flip test over groups"]
    )


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", type=Path, help="folder of the first run, results/<run>")
    parser.add_argument("b", type=Path, help="folder of the second run")
    add_output_arguments(parser)
    return parser.parse_args(arguments)


def main() -> None:
    """Compare and write."""
    arguments = parse_arguments()
    table = compare_runs(arguments.a, arguments.b)
    content = {"a": str(arguments.a), "b": str(arguments.b), "comparison": table.to_dict("records")}
    write_output(arguments, content, table, table_for_people(table, arguments.a, arguments.b))


if __name__ == "__main__":
    sys.exit(run(main))
