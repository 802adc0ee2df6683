"""Compare two runs on the test videos that both have predicted, video by video.

In: two folders results/<run>/ with accuracy.csv and the predictions it lists. Out: for each protocol of both, a row per
split and one for all splits together: the top-1 accuracy of either run, the difference b - a with its 95 % interval
(Bonett and Price's, with the effective sample size of whole groups), how many videos one run alone got right, and the
p-value of the paired sign-flip permutation test over whole groups. trained_on_a, trained_on_b count the videos that
either run was trained on, group_trained_on_a, group_trained_on_b those with a video of their group in its training
data: 0 in a fair comparison, empty where nobody knows; the log warns of both. Several seeds are averaged video by
video. Fractions are 0 to 1. The difference and its interval are those that a report with `report: compare:` shows.
Example: python workflow_scripts/compare.py results/reference results/paper
"""

import argparse
import logging
import sys
from pathlib import Path

import pandas as pd

from video3d.common.cli import add_output_arguments, write_output
from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.evaluation.metrics import sign_flip_p
from video3d.report.paired_comparison import (
    TRAINED_ON,
    count_known_videos,
    leak_warning,
    pair_answers,
    summarise_pairs,
)
from video3d.report.results import read_listed_predictions


def compare_runs(a: Path, b: Path) -> pd.DataFrame:
    """Return the table of the comparison.

    Raises UserError if the runs share no protocol and video, or not the classes.
    """
    of_a, of_b = read_listed_predictions(a), read_listed_predictions(b)
    labels = [each.drop_duplicates("video").set_index("video")["label"] for each in (of_a, of_b)]
    both = pd.concat(labels, axis=1, join="inner", keys=["a", "b"])
    if (both["a"] != both["b"]).any():
        raise UserError(
            f"{a} and {b} tell other classes apart (dataset: classes:); their accuracies cannot be compared"
        )
    rows = []
    for protocol in of_a["protocol"].unique():
        part_a, part_b = (each[each["protocol"] == protocol] for each in (of_a, of_b))
        pairs = pair_answers(part_b, part_a)
        if pairs.empty:
            continue
        videos = pd.concat([part_a, part_b]).groupby(["split", "video"]).ngroups
        if videos > len(pairs):
            logging.warning("%s: %d videos are in one run only and left out", protocol, videos - len(pairs))
        seeds = {"seeds_a": part_a["seed"].nunique(), "seeds_b": part_b["seed"].nunique()}
        for split, part in [*pairs.groupby("split"), ("all", pairs)]:
            row = {"protocol": protocol, "split": str(split), "videos": len(part)}
            known = count_known_videos(part, {"a": part_a, "b": part_b})
            rows.append(row | seeds | compare_answers(part) | known)
        for name, folder in (("a", a), ("b", b)):
            if warning := leak_warning(str(folder), protocol, rows[-1], name):
                logging.warning(warning)
    if not rows:
        raise UserError(f"{a} and {b} have no protocol and test video in common; nothing can be compared")
    counts = [f"{column}_{name}" for column in TRAINED_ON for name in "ab"]
    return pd.DataFrame(rows).astype(dict.fromkeys(counts, "Int64"))


def compare_answers(pairs: pd.DataFrame) -> dict:
    """Return what a row of the table says about the videos of `pair_answers`, b being our run, a theirs."""
    result = summarise_pairs(pairs)
    change = pairs["difference"]
    return {
        "top1_a": result["theirs"],
        "top1_b": result["ours"],
        "difference": result["difference"],
        "difference_low": result["low"],
        "difference_high": result["high"],
        "only_a": -change.clip(upper=0).sum(),
        "only_b": change.clip(lower=0).sum(),
        "p_value": sign_flip_p(change.to_numpy(), pd.factorize(pairs["cluster"])[0]),
    }


def to_records(table: pd.DataFrame) -> list[dict]:
    """Return the rows for JSON, which has null where the table is empty."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def format_table(table: pd.DataFrame, a: Path, b: Path) -> str:
    """Return the table as text, with what its letters mean."""
    lines = [f"a: {a}", f"b: {b}", table.to_string(index=False, float_format="{:.4f}".format)]
    return "\n".join([*lines, "difference: b - a; low, high: 95 % interval over groups; p: sign-flip test over groups"])


def main() -> None:
    """Compare the two runs and write the table."""
    arguments = parse_arguments()
    table = compare_runs(arguments.a, arguments.b)
    content = {"a": str(arguments.a), "b": str(arguments.b), "comparison": to_records(table)}
    write_output(arguments, content, table, format_table(table, arguments.a, arguments.b))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", type=Path, help="folder of the first run, results/<run>")
    parser.add_argument("b", type=Path, help="folder of the second run")
    add_output_arguments(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
