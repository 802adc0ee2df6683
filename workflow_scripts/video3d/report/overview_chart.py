"""The chart of all runs beside each other, as a Vega-Altair specification."""

import altair as alt
import pandas as pd

from video3d.report.chart_style import COLOURS, INTERVAL, WIDTH, draw_sentence


def draw_runs(table: pd.DataFrame) -> alt.VConcatChart | alt.Chart:
    """Draw top-1 with its interval for each row of `overview.table_of_runs`, a panel per data set and its classes."""
    if table.empty:
        return draw_sentence("No run is finished.")
    rows = table.assign(row=table["run"] + ", " + table["protocol"] + ", splits " + table["splits"])
    panels = []
    for (data_set, classes), part in rows.groupby(["data_set", "classes"], sort=False):
        y = alt.Y("row:N", sort=list(part["row"]), title=None, axis=alt.Axis(labelLimit=300))
        x = alt.X(
            "top1:Q", title="top-1 accuracy", axis=alt.Axis(format=".0%", tickCount=10), scale=alt.Scale(domain=[0, 1])
        )
        title = f"data set {data_set}, {classes} classes: guessing gives {100 / classes:.1f} %"
        base = alt.Chart(part, title=title).encode(y=y, tooltip=["row", alt.Tooltip("top1:Q", format=".1%"), *INTERVAL])
        layers = [
            base.mark_rule(strokeWidth=2, color=COLOURS[5]).encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_point(size=70, filled=True, opacity=1, color=COLOURS[0]).encode(x=x),
            base.mark_text(dy=-11).encode(x=x, text=alt.Text("top1:Q", format=".1%")),
        ]
        panels.append(alt.layer(*layers).properties(width=WIDTH - 320, height=alt.Step(30)))
    return alt.vconcat(*panels)
