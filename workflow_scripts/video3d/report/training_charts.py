"""The charts about training and cost, as Vega-Altair specifications: learning curves, speed, time of each stage.

Each takes tables and returns a chart no wider than WIDTH pixels. Fractions are drawn as per cent.
"""

import altair as alt
import numpy as np
import pandas as pd

from video3d.report.chart_style import COLOURS, INK, PER_CENT, WIDTH, draw_sentence


def draw_learning_curves(history: pd.DataFrame) -> alt.HConcatChart | alt.Chart:
    """Draw loss and top-1 by epoch, a line per split and seed, validation dashed; the learning rate below."""
    if history.empty:
        return draw_sentence("The evaluated weights were not trained in this run.")
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
