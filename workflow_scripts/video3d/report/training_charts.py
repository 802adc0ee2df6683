"""The charts about training and cost, as Vega-Altair specifications: learning curves, speed, time of each stage.

Each takes tables and returns a chart no wider than WIDTH pixels. Fractions are drawn as per cent.
"""

import altair as alt
import numpy as np
import pandas as pd

from video3d.report.chart_style import COLOURS, INK, PER_CENT, WIDTH, draw_sentence

LABELLED = alt.Axis(minExtent=40)  # as wide as the labels of per cent, so that panels stand below each other


def draw_learning_curves(history: pd.DataFrame, tests: pd.DataFrame) -> alt.VConcatChart | alt.Chart:
    """Draw loss and top-1 by epoch, a column of panels per split, and the learning rate below.

    Lines are means over the seeds, bands reach from the lowest to the highest seed. The dashed lines are the accuracy
    on the test split, so that the gap to it is seen: `tests` has columns split, top1.
    """
    if history.empty:
        return draw_sentence("The evaluated weights were not trained in this run.")
    long = history.melt(
        ["split", "seed", "epoch"], ["loss", "top1", "validation_loss", "validation_top1"], var_name="series"
    ).dropna(subset="value")
    long["subset"] = np.where(long["series"].str.startswith("validation"), "validation", "training")
    long["series"] = long["series"].str.removeprefix("validation_")
    table = long.groupby(["split", "series", "subset", "epoch"], as_index=False)["value"].agg(["mean", "min", "max"])
    splits = sorted(table["split"].unique())
    width = min(400, (WIDTH - 40) // len(splits) - 50)
    rows = [
        alt.hconcat(*(
            _draw_curve(table[(table["series"] == series) & (table["split"] == split)], f"split {split}: {title}", axis,
                        tests[(tests["split"] == split) & (series == "top1")], width)
            for split in splits
        )).resolve_scale(y="shared")
        for series, title, axis in (("loss", "loss", LABELLED), ("top1", "top-1", PER_CENT))
    ]  # fmt: skip
    rate = alt.Chart(history.drop_duplicates(["epoch", "learning_rate"]), title="learning rate")
    powers = np.arange(-8.0, 3.0)
    axis = alt.Axis(format="~g", values=list(10**powers), labelOverlap=False)
    y = alt.Y("learning_rate:Q", title=None, scale=alt.Scale(type="log"), axis=axis)
    tooltip = ["epoch:Q", alt.Tooltip("learning_rate:Q", format="~g")]
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1))
    line = rate.mark_line(interpolate="step-after", color=INK).encode(x=x, y=y, tooltip=tooltip)
    return alt.vconcat(*rows, line.properties(width=width, height=60))


def _draw_curve(table: pd.DataFrame, title: str, axis: alt.Axis, tests: pd.DataFrame, width: int) -> alt.LayerChart:
    """Draw one panel of the learning curves: columns subset, epoch, mean, min, max of one split; lines are named."""
    domain = ["training", "validation", "test"]
    subset = alt.Color("subset:N", scale=alt.Scale(domain=domain, range=COLOURS[:3]), legend=None)
    number = ".1%" if axis is PER_CENT else ".3f"
    tooltip = [
        "subset:N", "epoch:Q",
        *(alt.Tooltip(f"{name}:Q", format=number, title=f"{name} of seeds") for name in ("mean", "min", "max")),
    ]  # fmt: skip
    base = alt.Chart(table, title=title).encode(
        x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, tickCount=6)), color=subset
    )
    y = alt.Y("mean:Q", title=None, axis=axis, scale=alt.Scale(zero=axis is PER_CENT))
    layers = [
        base.mark_area(opacity=0.25).encode(y=alt.Y("min:Q"), y2="max:Q"),
        base.mark_line(strokeWidth=1.5, point={"size": 12}).encode(y=y, tooltip=tooltip),
    ]
    ends = table[(table["epoch"] == table["epoch"].max()) & (table["subset"] != "training")]
    if len(ends):
        text = alt.Chart(ends).mark_text(align="right", dy=-9)
        layers.append(text.encode(x="epoch:Q", y=y, color=subset, text="subset:N"))
    if len(tests):
        base = alt.Chart(tests.assign(subset="test", epoch=table["epoch"].min())).encode(y="top1:Q", color=subset)
        rule = base.mark_rule(strokeDash=[5, 4], strokeWidth=2)
        layers.append(rule.encode(tooltip=["subset", alt.Tooltip("top1:Q", format=".1%")]))
        layers.append(base.mark_text(align="left", dy=-8).encode(x="epoch:Q", text="subset:N"))
    return alt.layer(*layers).properties(width=width, height=150)


def draw_cost(stages: pd.DataFrame, history: pd.DataFrame) -> alt.VConcatChart:
    """Draw the wall time of each stage, and by epoch of training the speed and the share of time without data.

    `stages` has columns rule, jobs, seconds, time (as text) in the order of the workflow.
    """
    if stages.empty:
        bars = draw_sentence("No benchmark of this run was found.")
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


def draw_overlaid_curves(history: pd.DataFrame) -> alt.HConcatChart | alt.Chart:
    """Draw training loss and top-1 of several runs by epoch, mean over splits and seeds; column `run` names them."""
    if history.empty:
        return draw_sentence("None of these runs was trained here.")
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
