"""Tables of predictions, a line per answer."""

import pandas as pd


def predictions(*rows: tuple[str, int, str, str, int]) -> pd.DataFrame:
    """Rows (video, group, class, predicted class, seed) of split 1."""
    table = pd.DataFrame(rows, columns=["video", "group", "class", "predicted_class", "seed"])
    names = sorted({*table["class"], *table["predicted_class"]})
    return table.assign(
        split=1,
        label=table["class"].map(names.index),
        predicted_label=table["predicted_class"].map(names.index),
        correct=table["class"] == table["predicted_class"],
    )
