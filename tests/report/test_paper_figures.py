"""Figures for a paper: read back from the bytes of the PDF."""

import re
import zlib
from pathlib import Path

import altair as alt
import pandas as pd
import pytest

from video3d.report.paper_figures import draw_pdf

MILLIMETRE = 72 / 25.4


def width_of(pdf: bytes) -> float:
    """The width of the one page, in points."""
    (box,) = re.findall(rb"/MediaBox \[0 0 ([\d.]+) [\d.]+\]", pdf)
    return float(box)


def content_of(pdf: bytes) -> bytes:
    """All streams of the file that are compressed, unpacked."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL)
    return b"".join(zlib.decompressobj().decompress(each) for each in streams if each[:1] == b"\x78")


def assert_is_for_a_paper(pdf: bytes, millimetres: float) -> None:
    assert width_of(pdf) == pytest.approx(millimetres * MILLIMETRE, abs=3)
    fonts = pdf.count(b"/Subtype /Type0")
    assert fonts == pdf.count(b"/Subtype /CIDFontType2") == pdf.count(b"/FontFile2") > 0  # TrueType, in the file
    assert set(re.findall(rb"/\w+ ([\d.]+) Tf", content_of(pdf))) == {b"8"}


def test_figures_of_a_run_have_their_width_and_their_fonts(full_size: Path, compared: Path) -> None:
    for folder in (full_size, compared):
        for path in (folder / "paper").iterdir():
            assert_is_for_a_paper(path.read_bytes(), int(re.search(r"_(\d+)mm", path.name)[1]))


@pytest.mark.parametrize("millimetres", [85, 175])
def test_labels_of_any_length_leave_the_width_as_it_is(millimetres: int) -> None:
    for label in ("a", "a label of some length"):
        table = pd.DataFrame({"row": [label, "b"], "value": [0.1, 0.5]})
        chart = alt.Chart(table).mark_point(size=90).encode(x="value:Q", y="row:N").properties(width=920)
        cells = alt.Chart(table).mark_rect().encode(x="row:N", y="row:N").properties(width=alt.Step(40))
        for drawn in (alt.vconcat(chart, chart), cells):
            assert_is_for_a_paper(draw_pdf(drawn, ["what has to be said " * 9], millimetres), millimetres)
