"""HTML out of tables, captions and charts: the report page and the fragment for Snakemake's landing page."""

import base64
import gzip
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd
import vl_convert

TEMPLATES = Path(__file__).parent / "templates"
ROWS_SHOWN = 300
LARGEST_ADDRESS = 2 * 1024**2  # characters; url::kMaxURLChars in Chromium's source
FRACTIONS = {
    "top1", "low", "high", "share", "reverse", "taken_for_share", "probability", "ours", "theirs", "difference",
}  # fmt: skip
TITLES = {
    "top1": "top-1", "low": "95 % from", "high": "to", "sha256": "SHA-256", "ours": "this run", "theirs": "other run",
    "taken_for": "most often taken for", "taken_for_share": "share", "share": "share of class", "data": "data hash",
    "reverse": "opposite mistake", "trained_on_ours": "this run trained on",
    "trained_on_theirs": "other run trained on", "group_trained_on_ours": "this run, by group",
    "group_trained_on_theirs": "other run, by group",
}  # fmt: skip
IDENTIFIERS = {"split", "seed"}  # numbers that are names


def write_page(template: str, context: Mapping[str, Any], path: Path) -> None:
    """Render templates/<template> with `context` to the file `path`, as a page that unpacks itself if it is whole HTML.

    Snakemake embeds a page as a base64 `data:` address, and Chromium opens none above 2 MiB: with Vega in it, a page
    of full UCF101 is far above that, and far below it when compressed.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    html = environment.get_template(template).render(context)
    if html.startswith("<!doctype"):
        packed = base64.b64encode(gzip.compress(html.encode(), mtime=0)).decode()
        html = environment.get_template("packed.html").render(title=context["title"], packed=packed)
        if len(html) * 4 / 3 > LARGEST_ADDRESS:
            logging.warning("%s is too large to open inside of Snakemake's report; open it by itself", path.name)
    path.write_text(html, encoding="utf-8")


def render_table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return what the template needs to show `frame` as a sortable table and to offer it as CSV.

    Columns of fractions (named in FRACTIONS) are shown as per cent, other numbers with at most one decimal.
    """
    numeric = {column: pd.api.types.is_numeric_dtype(frame[column]) for column in frame}
    return {
        "columns": [{"title": TITLES.get(c, c.replace("_", " ")), "number": numeric[c]} for c in frame],
        "rows": [
            [_cell(column, value, numeric[column]) for column, value in row.items()]
            for row in frame.head(ROWS_SHOWN).to_dict("records")
        ],
        "total": len(frame),
        "csv": quote(to_csv(frame), safe=",. /:()"),
    }


def to_csv(frame: pd.DataFrame) -> str:
    """Return `frame` as CSV text, numbers to six digits."""
    return frame.to_csv(index=False, float_format="%.6g")


def _cell(column: str, value: Any, numeric: bool) -> dict[str, Any]:
    if not numeric:
        return {"text": "" if pd.isna(value) else str(value), "value": None}
    if pd.isna(value):
        return {"text": "–", "value": -1}
    if column in FRACTIONS:
        return {"text": f"{100 * value:.1f} %", "value": value}
    if column in IDENTIFIERS:
        return {"text": str(value), "value": value}
    return {"text": f"{value:,.0f}" if value == round(value) else f"{value:,.1f}", "value": value}


def read_template(name: str) -> str:
    """Return the text of templates/<name>: a style sheet or a script that goes into a page as it is."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def vega_script() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`."""
    return vl_convert.javascript_bundle().replace("</script", "<\\/script")
