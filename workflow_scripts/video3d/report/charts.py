"""The charts of the report, as Vega-Altair specifications: one look, colours that colour-blind readers can tell apart.

A chart takes a table and returns an Altair chart no wider than WIDTH pixels. Fractions are drawn as per cent.
Colours: Okabe and Ito, "Color Universal Design", 2008; one hue of growing darkness for amounts.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from video3d.report.headline import Comparison, Score
from video3d.report.published import MEAN

WIDTH = 920
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
INK, GREY, WARNING = "#222222", "#8a8a8a", "#b34700"
HEADING_CHARACTERS = 130
FONT = "Helvetica, Arial, sans-serif"
ROWS_PER_COLUMN = 34
PER_CENT = alt.Axis(format=".0%", tickMinStep=0.01)
INTERVAL = [alt.Tooltip("low:Q", format=".1%", title="95 % from"), alt.Tooltip("high:Q", format=".1%", title="to")]

alt.data_transformers.disable_max_rows()


@alt.theme.register("report", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """One font size scheme: 11 px for labels, 12 for axis titles and legends, 13 bold for panel titles."""
    return {
        "config": {
            "font": FONT,
            "background": "white",
            "view": {"stroke": None},
            "axis": {
                "labelFontSize": 11,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "labelColor": INK,
                "titleColor": INK,
                "gridColor": "#e6e6e6",
                "domainColor": GREY,
                "tickColor": GREY,
                "labelLimit": 220,
                "labelFlush": False,
            },
            "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 400},
            "title": {"fontSize": 13, "anchor": "start", "color": INK},
            "range": {"category": COLOURS},
            "text": {"fontSize": 11, "color": INK},
        }
    }


def accuracy(scores: Sequence[Score], comparisons: Sequence[Comparison], seeds: pd.DataFrame) -> alt.VConcatChart:
    """Top-1 of every split and their mean with intervals, a panel per protocol, and published numbers as diamonds.

    `seeds` is accuracy.csv: every seed is a small circle.
    """
    values = pd.DataFrame([vars(score) for score in scores]).assign(
        row=lambda t: "split " + t["split"].where(t["split"] != MEAN, ""),
    )
    values["row"] = values["row"].mask(values["split"] == MEAN, "mean of splits")
    single = seeds[seeds["split"] != MEAN].assign(row=lambda t: "split " + t["split"])
    published = pd.DataFrame(
        [
            {"protocol": c.published.protocol, "top1": c.published.top1, "name": c.published.name,
             "row": "mean of splits" if c.published.split == MEAN else f"split {c.published.split}"}
            for c in comparisons if c.difference is not None
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


def learning_curves(history: pd.DataFrame) -> alt.HConcatChart | alt.Chart:
    """Loss and top-1 by epoch, a line per split and seed, validation dashed; the learning rate below."""
    if history.empty:
        return nothing("The evaluated weights were not trained in this run.")
    long = history.melt(
        ["split", "seed", "epoch"], ["loss", "top1", "validation_loss", "validation_top1"], var_name="series"
    ).dropna(subset="value")
    long["subset"] = np.where(long["series"].str.startswith("validation"), "validation", "training")
    long["series"] = long["series"].str.removeprefix("validation_")
    colour = alt.Color("split:N", title="split", legend=alt.Legend(orient="bottom"))
    legend = alt.Legend(orient="bottom") if long["subset"].nunique() > 1 else None
    dash = alt.StrokeDash("subset:N", title=None, legend=legend, sort=["training", "validation"])
    tooltip = ["split:N", "seed:N", "subset:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")]
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1))
    panels = []
    for series, title, axis in (("loss", "loss (cross entropy)", alt.Axis()), ("top1", "top-1 of clips", PER_CENT)):
        lines = alt.Chart(long[long["series"] == series], title=title).mark_line(strokeWidth=1.5, point={"size": 12})
        y = alt.Y("value:Q", title=None, axis=axis)
        panel = lines.encode(x=x, y=y, color=colour, strokeDash=dash, detail="seed:N", tooltip=tooltip)
        panels.append(panel.properties(width=270, height=260))
    rate = alt.Chart(history, title="learning rate").mark_line(interpolate="step-after", color=INK)
    powers = np.arange(-8.0, 3.0)
    axis = alt.Axis(format="~g", values=list(10**powers), labelOverlap=False)
    y = alt.Y("learning_rate:Q", title=None, scale=alt.Scale(type="log"), axis=axis)
    tooltip = ["epoch:Q", alt.Tooltip("learning_rate:Q", format="~g")]
    panels.append(rate.encode(x=x, y=y, tooltip=tooltip).properties(width=170, height=260))
    return alt.hconcat(*panels)


def class_accuracy(table: pd.DataFrame) -> alt.HConcatChart:
    """Accuracy of every class with its interval, best first, in as many columns as it takes to stay on one screen."""
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


def confusion(matrix: np.ndarray, classes: Sequence[str], step: float) -> alt.Chart:
    """Share of the videos of a class (row) predicted as each class (column), in the order given; `step` px a cell."""
    true, predicted = np.nonzero(matrix)
    names = np.array(classes)
    cells = pd.DataFrame(
        {"class": names[true], "predicted": names[predicted], "share": matrix[true, predicted].round(4)}
    )
    size = max(min(11, round(step - 0.5, 1)), 4)
    axis = {"labelFontSize": size, "labelOverlap": False, "ticks": False, "domain": False, "labelPadding": 2}
    chart = alt.Chart(cells).mark_rect(aria=False).encode(
        x=alt.X("predicted:N", sort=list(classes), title="predicted class", axis=alt.Axis(labelAngle=-90, **axis),
                scale=alt.Scale(domain=list(classes))),
        y=alt.Y("class:N", sort=list(classes), title="true class", axis=alt.Axis(**axis),
                scale=alt.Scale(domain=list(classes))),
        color=alt.Color("share:Q", title="share of the class's videos", scale=alt.Scale(
            scheme="blues", type="sqrt", domain=[0, 1]),
            legend=alt.Legend(format=".0%", orient="top", gradientLength=240)),
        tooltip=["class", "predicted", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    return chart.properties(width=alt.Step(step), height=alt.Step(step)).configure_view(stroke="#cccccc")


def calibration(table: pd.DataFrame) -> alt.VConcatChart:
    """Accuracy against confidence with the diagonal, and how many predictions have that confidence."""
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


def accuracy_by(table: pd.DataFrame, key: str, title: str, mean: float) -> alt.LayerChart:
    """Accuracy with intervals for each value of column `key`; the mean of all videos is a dashed line."""
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


def cost(stages: pd.DataFrame, history: pd.DataFrame) -> alt.VConcatChart:
    """Wall time of each stage, and by epoch of training the speed and the share of time spent waiting for data.

    `stages` has columns rule, jobs, seconds, time (as text) in the order of the workflow.
    """
    if stages.empty:
        bars = nothing("No benchmark of this run was found.")
    else:
        base = alt.Chart(stages, title="wall time of each stage, all jobs added").encode(
            y=alt.Y("rule:N", sort=list(stages["rule"]), title=None), tooltip=["rule", "jobs:Q", "seconds:Q", "time"]
        )
        x = alt.X("seconds:Q", title="seconds", axis=alt.Axis(tickCount=8))
        bars = alt.layer(
            base.mark_bar(color=COLOURS[0]).encode(x=x),
            base.mark_text(align="left", dx=4).encode(x=x, text="time:N"),
        ).properties(width=WIDTH - 340, height=alt.Step(20))
    if history.empty:
        return alt.vconcat(bars)
    colour = alt.Color("split:N", legend=alt.Legend(orient="bottom"))
    lines = alt.Chart(history).mark_line(point={"size": 12}, strokeWidth=1.5)
    lines = lines.encode(x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1)), color=colour, detail="seed:N")
    tooltip = ["split:N", "seed:N", "epoch:Q"]
    speed = lines.encode(y=alt.Y("clips_per_second:Q", title="clips per second"),
                         tooltip=[*tooltip, alt.Tooltip("clips_per_second:Q", format=".1f")])  # fmt: skip
    wait = lines.encode(y=alt.Y("wait_share:Q", title="share of time waiting for data", axis=PER_CENT),
                        tooltip=[*tooltip, alt.Tooltip("wait_share:Q", format=".1%")])  # fmt: skip
    panels = [chart.properties(width=375, height=200) for chart in (speed, wait)]
    return alt.vconcat(bars, alt.hconcat(*panels), spacing=25).resolve_scale(color="shared")


def differences(table: pd.DataFrame) -> alt.LayerChart:
    """Paired differences to other runs: columns label, difference, low, high, videos; 0 is the dashed line."""
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


def overlaid_curves(history: pd.DataFrame) -> alt.HConcatChart | alt.Chart:
    """Training loss and top-1 of several runs by epoch, mean over splits and seeds; column `run` names them."""
    if history.empty:
        return nothing("None of these runs was trained here.")
    table = history.groupby(["run", "epoch"], as_index=False, sort=False)[["loss", "top1"]].mean()
    colour = alt.Color("run:N", sort=list(dict.fromkeys(table["run"])), legend=alt.Legend(orient="bottom"))
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=2)
        .encode(x=alt.X("epoch:Q"), color=colour, strokeDash=alt.StrokeDash("run:N", legend=None))
    )
    loss = lines.encode(y=alt.Y("loss:Q", title="training loss"), tooltip=["run", "epoch", "loss"])
    top1 = lines.encode(
        y=alt.Y("top1:Q", title="training top-1 of clips", axis=PER_CENT), tooltip=["run", "epoch", "top1"]
    )
    return alt.hconcat(*(chart.properties(width=370, height=240) for chart in (loss, top1)))


def heading(origin: str, notices: Sequence[str]) -> dict[str, Any]:
    """The title of a chart: which numbers these are, so that a saved figure says so too, and what to know first."""
    warnings = [line for notice in notices for line in textwrap.wrap(notice, HEADING_CHARACTERS)]
    return {
        "title": {
            "text": origin, "fontSize": 11, "fontWeight": "normal", "color": "#555555", "anchor": "start", "offset": 12,
            "subtitle": warnings, "subtitleFontSize": 11, "subtitleColor": WARNING,
        }
    }  # fmt: skip


def nothing(text: str) -> alt.Chart:
    """What stands where a chart has no data: a sentence."""
    return alt.Chart(pd.DataFrame({"text": [text]})).mark_text(fontSize=13).encode(text="text:N").properties(
        width=500, height=60
    )  # fmt: skip
