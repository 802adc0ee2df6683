"""The look of the charts: one theme, colours that colour-blind readers can tell apart, headings.

Colours: Okabe and Ito, "Color Universal Design", 2008; one hue of growing darkness for amounts.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

WIDTH = 920  # pixels; no chart is wider
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
INK, GREY, WARNING = "#222222", "#8a8a8a", "#b34700"
HEADING_CHARACTERS = 130
PER_CENT = alt.Axis(format=".0%", tickMinStep=0.01, minExtent=40)
INTERVAL = [alt.Tooltip("low:Q", format=".1%", title="95 % from"), alt.Tooltip("high:Q", format=".1%", title="to")]
# How d3 writes numbers, on the page as in the SVG: 35.2 %, −1.0.
NUMBERS = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""], "percent": "\u00a0%", "minus": "−"}

alt.data_transformers.disable_max_rows()


@alt.theme.register("report", enable=True)
def report_theme() -> alt.theme.ThemeConfig:
    """Return one scheme of font sizes: 11 px for labels, 12 for axis titles and legends, 13 bold for panel titles."""
    return {
        "config": {
            "font": "Helvetica, Arial, sans-serif",
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


def make_heading(title: str, notices: Sequence[str]) -> dict[str, Any]:
    """Return the title of a chart: which numbers these are, and the notices about them.

    With it a saved figure says so, too.
    """
    warnings = [line for notice in notices for line in textwrap.wrap(notice, HEADING_CHARACTERS)]
    return {
        "title": {
            "text": title, "fontSize": 11, "fontWeight": "normal", "color": "#555555", "anchor": "start", "offset": 12,
            "subtitle": warnings, "subtitleFontSize": 11, "subtitleColor": WARNING,
        }
    }  # fmt: skip


def draw_sentence(text: str) -> alt.Chart:
    """Draw a sentence, which stands where a chart has no data."""
    return alt.Chart(pd.DataFrame({"text": [text]})).mark_text(fontSize=13).encode(text="text:N").properties(
        width=500, height=60
    )  # fmt: skip
