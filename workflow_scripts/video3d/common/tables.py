"""Small tables as CSV files: what one stage of the data preparation tells the next."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.files import atomic_path


def read_table(path: Path, columns: Sequence[str], made_by: str) -> list[dict[str, str]]:
    """Return the rows of a table as text, each with at least these columns.

    Raises UserError that names the script `made_by` if the file is missing, is no table or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: make it with {made_by}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no table ({error}): make it again with {made_by}") from error
    if any(row.get(column) is None for row in rows for column in columns):
        raise UserError(f"{path} lacks one of the columns {', '.join(columns)}: make it again with {made_by}")
    return rows


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Write a table, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
