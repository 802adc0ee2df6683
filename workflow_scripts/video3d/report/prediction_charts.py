"""The charts about predictions, as Vega-Altair specifications: accuracies, confusions, calibration, differences.

Each takes a table and returns a chart no wider than WIDTH pixels. Fractions are drawn as per cent.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from video3d.report.chart_style import COLOURS, GREY, INK, INTERVAL, PER_CENT, WIDTH, draw_sentence
from video3d.report.headline import MEAN, Score, percent
from video3d.report.published import PublishedComparison

ROWS_PER_COLUMN = 34  # of the accuracies of the classes, so that they stay on one screen
FEWEST = 20  # videos of a point: the interval of fewer is so wide that the point says nothing


def draw_headline(answer: Score, comparison: PublishedComparison | None, scores: Sequence[Score], chance: float):
    """Draw the answer with its interval on an axis from 0 to 100 % that also has chance and one published number.

    If that number is of another protocol or split, our score of the same one stands beside it.

    Args:
        answer: the score that is the answer.
        comparison: the best published number that can be compared, if there is one.
        scores: all scores of the run.
        chance: the accuracy of guessing.
    """
    shown = [answer]
    if comparison:
        same = (comparison.published.protocol, comparison.published.split)
        shown += [score for score in scores if (score.protocol, score.split) == same and score != answer]
    rows = pd.DataFrame([{"row": _name_score(score), **vars(score)} for score in shown])
    y = alt.Y("row:N", sort=list(rows["row"]), title=None)
    x = alt.X("top1:Q", title=None, axis=alt.Axis(format=".0%", tickCount=10), scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(rows).encode(y=y)
    layers = [
        base.mark_rule(strokeWidth=6, color=COLOURS[5]).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(size=120, filled=True, opacity=1, color=COLOURS[0]).encode(x=x),
    ]
    marks = [{"at": chance, "name": f"guessing {percent(chance)}"}]
    guessing = alt.Chart(pd.DataFrame(marks)).encode(x="at:Q")
    layers += [
        guessing.mark_rule(strokeDash=[4, 4], color=INK),
        guessing.mark_text(align="left", dx=4, y=-8, fontSize=12).encode(text="name:N"),
    ]
    if comparison:
        theirs = alt.Chart(pd.DataFrame([
            {"row": rows["row"].iloc[-1], "at": comparison.published.top1,
             "name": f"{comparison.published.name}: {percent(comparison.published.top1)}"}
        ])).encode(x="at:Q", y=y)  # fmt: skip
        side, shift = ("right", -10) if comparison.published.top1 > 0.5 else ("left", 10)
        layers += [
            theirs.mark_point(size=120, filled=True, opacity=1, shape="diamond", color=COLOURS[1]),
            theirs.mark_text(align=side, dx=shift, fontSize=12, color="#a34700").encode(text="name:N"),
        ]
    return alt.layer(*layers).properties(width=WIDTH - 220, height=alt.Step(44))


def _name_score(score: Score) -> str:
    where = "mean of splits" if score.split == MEAN else f"split {score.split}"
    return f"{score.protocol}, {where}"


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
        points = base.mark_point(size=35, filled=True, opacity=1, color=COLOURS[0], cursor="pointer").encode(x=x)
        panels.append(alt.layer(bars, points).properties(width=width, height=alt.Step(15)))
    return alt.hconcat(*panels, spacing=15)


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
    bars = base.transform_filter(f"datum.predictions >= {FEWEST}").mark_bar(color=COLOURS[5], stroke="white")
    bars = bars.encode(y=y)
    enough = table[table["predictions"] >= FEWEST]
    points = alt.Chart(enough).mark_point(filled=True, size=40, color=COLOURS[0], opacity=1)
    points = points.encode(x=alt.X("confidence:Q"), y=y, tooltip=tooltip)
    diagonal = alt.Chart(pd.DataFrame({"at": [0, 1]})).mark_line(strokeDash=[4, 4], color=INK)
    diagonal = diagonal.encode(x="at:Q", y="at:Q")
    counts = base.mark_bar(color=GREY, stroke="white").encode(y=alt.Y("predictions:Q", title="predictions"))
    return alt.vconcat(
        alt.layer(bars, diagonal, points).properties(width=360, height=260), counts.properties(width=360, height=80)
    )


def draw_groups_and_lengths(by: Mapping[str, pd.DataFrame], mean: float) -> alt.HConcatChart | alt.Chart:
    """Draw tables of `analysis.accuracy_by` by their key, side by side; `mean` is the accuracy of all videos.

    Panels without a point are left out.
    """
    titles = {"group": "group", "length": "frames in the video"}
    panels = [_draw_accuracy_by(table, key, titles[key], mean) for key, table in by.items() if len(table)]
    return alt.hconcat(*panels) if panels else draw_sentence(f"Left out: no point has {FEWEST} videos.")


def keep_large(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of `analysis.accuracy_by` that have videos enough, or none if that leaves one."""
    large = table[table["videos"] >= FEWEST]
    return large if len(large) > 1 else large.iloc[:0]


def _draw_accuracy_by(table: pd.DataFrame, key: str, title: str, mean: float) -> alt.LayerChart:
    """Draw accuracy with intervals for each value of column `key`; the mean of all videos is a dashed line."""
    if pd.api.types.is_numeric_dtype(table[key]):
        x = alt.X(f"{key}:Q", title=title, axis=alt.Axis(tickMinStep=1), scale=alt.Scale(zero=False, padding=12))
    else:
        x = alt.X(f"{key}:N", title=title, sort=None)
    tooltip = [x.shorthand, alt.Tooltip("top1:Q", format=".1%"), *INTERVAL, "videos:Q"]
    base = alt.Chart(table).encode(x=x, tooltip=tooltip)
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
