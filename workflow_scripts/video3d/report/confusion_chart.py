"""The confusion matrix as Vega-Altair specifications: to explore on the page, and small enough for print."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from video3d.report.chart_style import COLOURS, INK

NUMBERS_UP_TO = 15  # classes: as many cells have room for a number
SMALL = 0.05  # smaller shares are hidden until they are asked for, where there are more classes than that
SWITCH = "small_shares"  # the parameter that shows them
MOST_CONFUSED = 25  # classes on paper
PRINT_STEP = 17  # pixels of a cell on paper


def draw_confusion(
    counts: np.ndarray, shares: np.ndarray, class_names: Sequence[str], step: float, small: bool = True
) -> alt.LayerChart:
    """Draw the share of the videos of a class (row) predicted as each class (column).

    Args:
        counts: predictions, int (classes, classes), a row per true class.
        shares: the same as a share of the row.
        class_names: of the rows and columns.
        step: pixels of a cell.
        small: whether small shares, too, are shown before anybody asks for them.
    """
    true, predicted = np.nonzero(counts)
    names = np.array(class_names)
    cells = pd.DataFrame(
        {
            "class": names[true], "predicted": names[predicted], "share": shares[true, predicted].round(4),
            "predictions": counts[true, predicted],
        }
    )  # fmt: skip
    size = max(min(11, round(step - 0.5, 1)), 4)
    axis = {"labelFontSize": size, "labelOverlap": False, "ticks": False, "domain": False, "labelPadding": 2}
    scale = alt.Scale(domain=list(class_names))
    x = alt.X("predicted:N", title="predicted class", axis=alt.Axis(labelAngle=-90, **axis), scale=scale)
    y = alt.Y("class:N", title="true class", axis=alt.Axis(**axis), scale=scale)
    row = alt.selection_point(name="row", fields=["class"], on="pointerover", clear="pointerout", empty=False)
    column = alt.selection_point(name="column", fields=["predicted"], on="pointerover", clear="pointerout", empty=False)
    base = alt.Chart(cells).encode(x=x, y=y)
    many = len(class_names) > NUMBERS_UP_TO
    if many:
        switch = alt.param(
            name=SWITCH, value=small, bind=alt.binding_checkbox(name=f"show shares below {100 * SMALL:.0f} % ")
        )
        base = base.add_params(switch).transform_filter(f"datum.share >= {SMALL} || {SWITCH}")
    squares = base.mark_rect(aria=False, cursor="pointer").encode(
        color=alt.Color("share:Q", title="share of the class's videos", scale=alt.Scale(
            scheme="blues", type="sqrt", domain=[0, 1]),
            legend=alt.Legend(format=".0%", orient="top", gradientLength=240)),
        tooltip=["class", "predicted", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("predictions:Q", format=",")],
    ).add_params(row, column)  # fmt: skip
    band = {"aria": False, "filled": False, "stroke": COLOURS[1], "strokeWidth": 1.5}
    lines = [
        alt.Chart(pd.DataFrame({field: names})).mark_rect(**band).encode(
            **{channel: encoding}, opacity=alt.condition(selection, alt.value(1), alt.value(0))
        )
        for field, channel, encoding, selection in (("class", "y", y, row), ("predicted", "x", x, column))
    ]  # fmt: skip
    numbers = base.mark_text(aria=False, fontSize=11).encode(
        text=alt.Text("predictions:Q", format=","),
        color=alt.condition("datum.share > 0.35", alt.value("white"), alt.value(INK)),
    )
    layers = [squares, *([] if many else [numbers]), *lines]
    return alt.layer(*layers).properties(width=alt.Step(step), height=alt.Step(step)).configure_view(stroke="#cccccc")


def most_confused(counts: np.ndarray) -> np.ndarray:
    """Return which classes have the most mistakes, as true or as predicted class: int64, in their order in `counts`."""
    wrong = counts - np.diag(np.diag(counts))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind="stable")[:MOST_CONFUSED])
