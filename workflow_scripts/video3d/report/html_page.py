"""HTML out of tables, captions and charts: the pages, and the landing page of Snakemake that carries them."""

import base64
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import markupsafe
import pandas as pd
import vl_convert

from video3d.report.chart_style import NUMBERS
from video3d.report.headline import percent, points

TEMPLATES = Path(__file__).parent / "templates"
ROWS_SHOWN = 101  # of a table at once, as many as UCF101 has classes; a script shows the others when asked for
FRACTIONS = {
    "top1", "low", "high", "share", "reverse", "taken_for_share", "probability", "ours", "theirs", "difference",
    "mean_class", "other_top1",
}  # fmt: skip
TITLES = {
    "top1": "top-1", "low": "95 % from", "high": "to", "sha256": "SHA-256", "ours": "this run", "theirs": "other run",
    "gpu_hours": "GPU-hours", "other_top1": "top-1 of other run",
    "taken_for": "most often taken for", "taken_for_share": "share", "share": "share of class", "data": "data hash",
    "reverse": "opposite mistake", "trained_on_ours": "this run trained on",
    "trained_on_theirs": "other run trained on", "group_trained_on_ours": "this run, by group",
    "group_trained_on_theirs": "other run, by group",
}  # fmt: skip
IDENTIFIERS = {"split", "seed"}  # numbers that are names
CHECKSUMS = {"sha256", "data", "commit"}  # of which the first digits are shown
CLASS_COLUMNS = {"class", "predicted_class", "taken_for"}


def write_page(template: str, context: Mapping[str, Any], path: Path) -> None:
    """Render templates/<template> with `context` to the file `path`."""
    path.write_text(render_text(template, context), encoding="utf-8")


def render_text(template: str, context: Mapping[str, Any]) -> str:
    """Render templates/<template> with `context`; what is in the context is text, never markup."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"percent": percent, "points": points}
    return environment.get_template(template).render(context)


def pack_page(path: Path) -> str:
    """Return a page as base64 of gzip, which the landing page unpacks."""
    return base64.b64encode(gzip.compress(path.read_bytes(), mtime=0)).decode()


def render_table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return what the template needs to show `frame` as a table and to offer it as CSV.

    Columns of fractions (named in FRACTIONS) are shown as per cent, other numbers with at most one decimal, checksums
    by their first digits. Columns that say nothing are in the CSV only.
    """
    shown = [column for column in frame if frame.empty or not _says_nothing(frame, column)]
    numeric = {column: pd.api.types.is_numeric_dtype(frame[column]) for column in shown}
    rows = [
        [_cell(column, value, numeric[column]) for column, value in row.items()]
        for row in frame[shown].to_dict("records")
    ]
    return {
        "columns": [
            {"title": TITLES.get(c, c.replace("_", " ")), "number": numeric[c], "class": c in CLASS_COLUMNS}
            for c in shown
        ],
        "rows": rows[:ROWS_SHOWN],
        "more": rows[ROWS_SHOWN:],
        "total": len(frame),
        "csv": quote(to_csv(frame), safe=",. /:()"),
    }


def _says_nothing(frame: pd.DataFrame, column: str) -> bool:
    """Return whether a column has no value at all, or counts the seeds where there is one."""
    return bool(frame[column].replace("", None).isna().all() or (column == "seeds" and (frame[column] == 1).all()))


def to_csv(frame: pd.DataFrame) -> str:
    """Return `frame` as CSV text, numbers to six digits."""
    return frame.to_csv(index=False, float_format="%.6g")


def _cell(column: str, value: Any, numeric: bool) -> str:
    if not numeric:
        text = "" if pd.isna(value) else str(value)
        return f"{text[:12]}…" if column in CHECKSUMS and len(text) > 12 else text
    if pd.isna(value):
        return "–"
    if column in FRACTIONS:
        return percent(value)
    if column in IDENTIFIERS:
        return str(value)
    if column.endswith("_hours"):
        return f"{value:,.2f}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def read_template(name: str) -> str:
    """Return the text of templates/<name>: a style sheet or a script that goes into a page as it is."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def draw_svg(chart: Mapping[str, Any]) -> str:
    """Return a Vega-Lite specification drawn as SVG."""
    return vl_convert.vegalite_to_svg(dict(chart), format_locale=NUMBERS)


def show_image(svg: str, finding: str) -> markupsafe.Markup:
    """Return an <img> of an SVG; `finding` is what it shows, in words."""
    uri = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
    return markupsafe.Markup('<img src="{}" alt="{}">').format(uri, finding)


def vega_script() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`."""
    return vl_convert.javascript_bundle().replace("</script", "<\\/script")
