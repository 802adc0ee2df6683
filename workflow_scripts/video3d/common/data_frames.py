"""Tables of results as pandas reads them: numbers become numbers, names stay text."""

from pathlib import Path

import pandas as pd

NAMES = ["video", "class", "predicted_class", "group", *(f"top{rank}_class" for rank in range(1, 6))]


def read_data_frame(path: Path) -> pd.DataFrame:
    """Read a CSV file; a class that is called NA or 7 keeps its name.

    Groups are numbers only where all of them are, as those of UCF101, so that they sort and are drawn as such.
    """
    table = pd.read_csv(path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""])
    if "group" in table and table["group"].dropna().str.fullmatch("0|[1-9][0-9]{0,8}", na=False).all():
        table["group"] = pd.to_numeric(table["group"])
    return table
