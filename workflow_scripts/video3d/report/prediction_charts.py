"""The charts about predictions, as Vega-Altair specifications: accuracies, confusions, calibration, differences.

Each takes a table and returns a chart no wider than WIDTH pixels. Fractions are drawn as per cent.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from video3d.report.chart_style import COLOURS, GREY, INK, INTERVAL, PER_CENT, WIDTH
from video3d.report.headline import MEAN, Score
from video3d.report.published import PublishedComparison

ROWS_PER_COLUMN = 34  # of the accuracies of the classes, so that they stay on one screen


def draw_accuracy(
    scores: Sequence[Score], comparisons: Sequence[PublishedComparison], accuracy: pd.DataFrame
) -> alt.VConcatChart:
    """Draw top-1 of every split and their mean with intervals, a panel per protocol, and published numbers as diamonds.

    `accuracy` is accuracy.csv, of which every seed is a small circle.
    """
    values = pd.DataFrame([vars(score) for score in scores]).assign(
        row=lambda table: "split " + table["split"].where(table["split"] != MEAN, ""),
    )
    values["row"] = values["row"].mask(values["split"] == MEAN, "mean of splits")
    single = accuracy[accuracy["split"] != MEAN].assign(row=lambda table: "split " + table["split"])
    published = pd.DataFrame(
        [
            {"protocol": each.published.protocol, "top1": each.published.top1, "name": each.published.name,
             "row": "mean of splits" if each.published.split == MEAN else f"split {each.published.split}"}
            for each in comparisons if each.difference is not None
        ],
        columns=["protocol", "top1", "name", "row"],
    )  # fmt: skip
    top = max(values["high"].max(), published["top1"].max() if len(published) else 0)
    bottom = min(values["low"].min(), published["top1"].min() if len(published) else 1)
    x = alt.X(
        "top1:Q", title="top-1 accuracy", axis=PER_CENT, scale=alt.Scale(domain=[bottom, top], zero=False, nice=True)
    )
    panels = []
    for protocol in dict.fromkeys(values["protocol"]):
        mine = values[values["protocol"] == protocol]
        y = alt.Y("row:N", title=None, sort=list(mine["row"]))
        base = alt.Chart(mine, title=f"protocol {protocol}").encode(y=y)
        tooltip = ["row", alt.Tooltip("top1:Q", format=".2%"), *INTERVAL, alt.Tooltip("videos:Q", format=",")]
        layers = [
            base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(x=alt.X("low:Q"), x2="high:Q", tooltip=tooltip),
            base.mark_point(size=90, filled=True, opacity=1, color=COLOURS[0]).encode(x=x, tooltip=tooltip),
            base.mark_text(dy=-11, fontSize=11).encode(x=x, text=alt.Text("top1:Q", format=".1%")),
        ]
        if single.groupby("split")["seed"].nunique().max() > 1:
            dots = alt.Chart(single[single["protocol"] == protocol]).mark_point(size=25, color=INK, opacity=0.7)
            layers.append(dots.encode(x=x, y=y, tooltip=["seed:N", alt.Tooltip("top1:Q", format=".2%")]))
        theirs = published[published["protocol"] == protocol]
        if len(theirs):
            marks = alt.Chart(theirs).mark_point(size=90, filled=True, opacity=1, shape="diamond")
            legend = alt.Legend(title="published", orient="bottom", direction="vertical", symbolType="diamond")
            colour = alt.Color("name:N", legend=legend, scale=alt.Scale(range=COLOURS[1:]))
            layers.append(marks.encode(x=x, y=y, color=colour, tooltip=["name", alt.Tooltip("top1:Q", format=".2%")]))
        panels.append(alt.layer(*layers).properties(width=WIDTH - 160, height=alt.Step(34)))
    return alt.vconcat(*panels).resolve_scale(x="shared", color="independent")


def draw_class_accuracy(table: pd.DataFrame) -> alt.HConcatChart:
    """Draw the accuracy of every class with its interval, best first, in so many columns that it fits on a screen."""
    columns = -(-len(table) // ROWS_PER_COLUMN)
    rows = -(-len(table) // columns)
    width = (WIDTH - 150 * columns) // columns if columns > 1 else WIDTH // 2
    tooltip = [
        "class", alt.Tooltip("top1:Q", format=".1%"), *INTERVAL, "videos:Q", "groups:Q",
        alt.Tooltip("taken_for", title="most often taken for"), alt.Tooltip("taken_for_share:Q", format=".0%"),
    ]  # fmt: skip
    panels = []
    for start in range(0, len(table), rows):
        part = table.iloc[start : start + rows]
        base = alt.Chart(part).encode(y=alt.Y("class:N", sort=list(part["class"]), title=None), tooltip=tooltip)
        x = alt.X(
            "top1:Q", title="top-1 accuracy", axis=alt.Axis(format=".0%", tickCount=5), scale=alt.Scale(domain=[0, 1])
        )
        bars = base.mark_rule(strokeWidth=2, color=COLOURS[5]).encode(x=alt.X("low:Q"), x2="high:Q")
        points = base.mark_point(size=35, filled=True, opacity=1, color=COLOURS[0]).encode(x=x)
        panels.append(alt.layer(bars, points).properties(width=width, height=alt.Step(15)))
    return alt.hconcat(*panels, spacing=15)


def draw_confusion(shares: np.ndarray, class_names: Sequence[str], step: float) -> alt.Chart:
    """Draw the share of the videos of a class (row) predicted as each class (column); a cell has `step` pixels."""
    true, predicted = np.nonzero(shares)
    names = np.array(class_names)
    cells = pd.DataFrame(
        {"class": names[true], "predicted": names[predicted], "share": shares[true, predicted].round(4)}
    )
    size = max(min(11, round(step - 0.5, 1)), 4)
    axis = {"labelFontSize": size, "labelOverlap": False, "ticks": False, "domain": False, "labelPadding": 2}
    chart = alt.Chart(cells).mark_rect(aria=False).encode(
        x=alt.X("predicted:N", sort=list(class_names), title="predicted class", axis=alt.Axis(labelAngle=-90, **axis),
                scale=alt.Scale(domain=list(class_names))),
        y=alt.Y("class:N", sort=list(class_names), title="true class", axis=alt.Axis(**axis),
                scale=alt.Scale(domain=list(class_names))),
        color=alt.Color("share:Q", title="share of the class's videos", scale=alt.Scale(
            scheme="blues", type="sqrt", domain=[0, 1]),
            legend=alt.Legend(format=".0%", orient="top", gradientLength=240)),
        tooltip=["class", "predicted", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    return chart.properties(width=alt.Step(step), height=alt.Step(step)).configure_view(stroke="#cccccc")


def draw_calibration(table: pd.DataFrame) -> alt.VConcatChart:
    """Draw accuracy against confidence with the diagonal, and how many predictions have that confidence."""
    x = alt.X("low:Q", bin="binned", title="probability of the predicted class", axis=PER_CENT)
    x = x.scale(domain=[0, 1])
    tooltip = [
        alt.Tooltip("confidence:Q", format=".1%"), alt.Tooltip("top1:Q", format=".1%"),
        alt.Tooltip("predictions:Q", format=","),
    ]  # fmt: skip
    base = alt.Chart(table).encode(x=x, x2="high:Q", tooltip=tooltip)
    y = alt.Y("top1:Q", title="top-1 accuracy", axis=PER_CENT, scale=alt.Scale(domain=[0, 1]))
    bars = base.mark_bar(color=COLOURS[5], stroke="white").encode(y=y)
    points = alt.Chart(table).mark_point(filled=True, size=40, color=COLOURS[0], opacity=1)
    points = points.encode(x=alt.X("confidence:Q"), y=y, tooltip=tooltip)
    diagonal = alt.Chart(pd.DataFrame({"at": [0, 1]})).mark_line(strokeDash=[4, 4], color=INK)
    diagonal = diagonal.encode(x="at:Q", y="at:Q")
    counts = base.mark_bar(color=GREY, stroke="white").encode(y=alt.Y("predictions:Q", title="predictions"))
    return alt.vconcat(
        alt.layer(bars, diagonal, points).properties(width=360, height=260), counts.properties(width=360, height=80)
    )


def draw_groups_and_lengths(by_group: pd.DataFrame, by_length: pd.DataFrame, mean: float) -> alt.HConcatChart:
    """Draw two tables of `analysis.accuracy_by` side by side; `mean` is the accuracy of all videos."""
    return alt.hconcat(
        _draw_accuracy_by(by_group, "group", "group", mean),
        _draw_accuracy_by(by_length, "length", "frames in the video", mean),
    )


def _draw_accuracy_by(table: pd.DataFrame, key: str, title: str, mean: float) -> alt.LayerChart:
    """Draw accuracy with intervals for each value of column `key`; the mean of all videos is a dashed line."""
    tooltip = [f"{key}:Q", alt.Tooltip("top1:Q", format=".1%"), *INTERVAL, "videos:Q"]
    base = alt.Chart(table).encode(
        x=alt.X(f"{key}:Q", title=title, axis=alt.Axis(tickMinStep=1), scale=alt.Scale(zero=False, padding=12)),
        tooltip=tooltip,
    )
    y = alt.Y("top1:Q", title="top-1 accuracy", axis=PER_CENT, scale=alt.Scale(domain=[0, 1]))
    line = alt.Chart(pd.DataFrame({"mean": [mean]})).mark_rule(strokeDash=[4, 4], color=INK).encode(y="mean:Q")
    return alt.layer(
        line,
        base.mark_rule(strokeWidth=2, color=COLOURS[5]).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_point(size=55, filled=True, opacity=1, color=COLOURS[0]).encode(y=y),
    ).properties(width=400, height=260)


def draw_differences(table: pd.DataFrame) -> alt.LayerChart:
    """Draw paired differences to other runs: columns label, difference, low, high, videos; 0 is the dashed line."""
    tooltip = ["label", alt.Tooltip("difference:Q", format="+.2%"), alt.Tooltip("low:Q", format="+.2%"),
               alt.Tooltip("high:Q", format="+.2%"), alt.Tooltip("videos:Q", format=",")]  # fmt: skip
    base = alt.Chart(table).encode(y=alt.Y("label:N", sort=list(table["label"]), title=None), tooltip=tooltip)
    x = alt.X("difference:Q", title="difference of top-1 accuracy (this run − other)", axis=alt.Axis(format="+.0%"))
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 4], color=INK).encode(x="zero:Q")
    return alt.layer(
        zero,
        base.mark_rule(strokeWidth=2, color=COLOURS[5]).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(size=70, filled=True, opacity=1, color=COLOURS[0]).encode(x=x),
    ).properties(width=WIDTH - 320, height=alt.Step(34))
