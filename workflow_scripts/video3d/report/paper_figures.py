"""Figures for a paper: PDF as wide as a column or a page of text, with text of 8 points and its fonts in the file."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert

from video3d.report.chart_style import NUMBERS, WARNING

POINTS_PER_MM = 72 / 25.4
FONT = 8  # points, as a pixel of Vega is a point of the PDF
# Millimetres by chart: those that are of many panels or classes need the width of a page.
WIDTHS = {
    "accuracy": (85, 175), "calibration": (85, 175), "groups_and_lengths": (85, 175), "learning_curves": (175,),
    "class_accuracy": (175,), "confusion": (175,),
}  # fmt: skip
SMALLEST_HEIGHT, SMALLEST_STEP, LEAST_STEP = 0.45, 0.6, 10  # of the page's; points of a row with a label
MARKS, TEXT = 0.35, 0.7  # the area of a point, and the room for a line of text, of those on the page
WIDE, LEAST = 8.0, 0.02  # factors of the widths of plots: one that leaves no text wider than they are, and the smallest
PASSES = 3  # until a chart has its width to within half a point; one or two are the rule


def draw_pdf(chart: Any, notices: Sequence[str], millimetres: float) -> bytes:
    """Return a chart as PDF of this width; `notices` are what has to stand in the figure itself, if anything has."""
    width = millimetres * POINTS_PER_MM
    specification = _restyle(chart.to_dict(validate=False))
    if lines := [line for notice in notices for line in textwrap.wrap(notice, int(width / (0.6 * FONT)))]:
        title = {"text": lines, "fontSize": FONT, "fontWeight": "normal", "color": WARNING, "anchor": "start"}
        specification["title"] = title
    return _draw_as_wide(specification, width)


def _draw_as_wide(specification: Mapping[str, Any], width: float) -> bytes:
    """Return a drawing of this width as PDF: the plots are scaled, what stands beside them is not."""
    factor, found = WIDE, _width_as_svg(_scale(specification, WIDE))
    slope = _plots_width(specification) or found - _width_as_svg(_scale(specification, WIDE - 1))
    for _ in range(PASSES):
        factor = max(LEAST, factor + (width - found) / slope)
        pdf = vl_convert.vegalite_to_pdf(_scale(specification, factor), format_locale=NUMBERS)
        found = float(re.search(rb"/MediaBox \[0 0 ([\d.]+) ", pdf)[1])
        if abs(found - width) <= 0.5:
            break
    return pdf


def _width_as_svg(specification: Mapping[str, Any]) -> float:
    svg = vl_convert.vegalite_to_svg(dict(specification), format_locale=NUMBERS)
    return float(re.search(r'width="([\d.]+)"', svg)[1])


def _plots_width(view: Mapping[str, Any]) -> float:
    """Return the width of the plots side by side; 0 where it follows from the number of columns."""
    if "hconcat" in view:
        return sum(map(_plots_width, view["hconcat"]))
    if "vconcat" in view:
        return max(map(_plots_width, view["vconcat"]))
    return 0 if _steps(view.get("width")) else view["width"]


def _restyle(part: Any) -> Any:
    """Return a specification in which all text has FONT points, and points are as small as the plots will be."""
    if isinstance(part, list):
        return [_restyle(each) for each in part]
    if not isinstance(part, Mapping):
        return part
    restyled = {name: FONT if re.search("fontsize$", name, re.I) else _restyle(value) for name, value in part.items()}
    restyled |= {name: part[name] * TEXT for name in ("dy", "minExtent") if isinstance(part.get(name), int | float)}
    if isinstance(part.get("size"), int | float) and "type" in part:
        restyled["size"] = part["size"] * MARKS
    return restyled


def _scale(part: Any, factor: float) -> Any:
    """Return a specification with the widths and heights of its plots scaled."""
    if isinstance(part, list):
        return [_scale(each, factor) for each in part]
    if not isinstance(part, Mapping):
        return part
    scaled = {name: value if name in ("data", "datasets") else _scale(value, factor) for name, value in part.items()}
    rows = max(factor, SMALLEST_STEP if _steps(part.get("height")) else SMALLEST_HEIGHT)
    height = factor if _steps(part.get("width")) else min(1, rows)  # cells stay square
    for name, by in (("width", factor), ("height", height)):
        if step := _steps(part.get(name)):
            scaled[name] = {"step": max(LEAST_STEP, step * by)}
        elif isinstance(part.get(name), int | float):
            scaled[name] = part[name] * by
    return scaled


def _steps(size: Any) -> float | None:
    """Return the points of a row or column, if a plot is as large as they are together."""
    return size.get("step") if isinstance(size, Mapping) else None
