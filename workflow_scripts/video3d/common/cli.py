"""The output of a script in the form that was asked for: a table for people, JSON or CSV."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from video3d.common.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd  # takes longer to import than all that is needed to read the options


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options --json, --csv and --output to a parser."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON instead of a table for people")
    form.add_argument("--csv", action="store_true", help="write CSV instead of a table for people")
    parser.add_argument("--output", type=Path, help="file to write (default: standard output)")


def write_output(arguments: argparse.Namespace, content: Any, table: "pd.DataFrame", text: str) -> None:
    """Write the output to the file that `--output` names, else to standard output.

    Args:
        arguments: those of `add_output_arguments`, parsed.
        content: what to write as JSON.
        table: what to write as CSV.
        text: what to write for people.
    """
    if arguments.json:
        text = json.dumps(content, indent=2)  # in ASCII: names of files may be no text at all
    elif arguments.csv:
        text = table.to_csv(index=False, lineterminator="\n").rstrip("\n")
    if arguments.output is None:
        print(text)
        return
    with atomic_path(arguments.output) as path:
        path.write_text(text + "\n", encoding="utf-8")
