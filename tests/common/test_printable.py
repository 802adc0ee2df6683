"""Names from outside as people see them."""

import pytest

from video3d.common.printable import few, printable, printable_lines, safe_cell, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 日本.avi", "plain ü 日本.avi"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("gpj.\u202eavi", r"gpj.\u202eavi"),
        ("latin\udcff", r"latin\udcff"),
        ("\u2028", r"\u2028"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_of_many_or_long_names_a_few_are_shown_and_shortened():
    assert few([]) == "" and few(["a", "b"]) == "a, b"
    assert few(["a"] * 8) == "a, a, a, a, a, a, a, a"
    assert few(["b" * 900_000, *"a" * 9]) == "b" * 79 + "…, a, a, a, a, a, a, a and 2 more"
    assert shortened("a" * 200) == "a" * 200 and shortened("a" * 201) == "a" * 199 + "…"


def test_lines_stay_lines():
    assert printable_lines("one\n  - two\r\n\x1b[2J") == "one\n  - two\\r\n\\x1b[2J"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "＝1", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    cell = safe_cell(text)
    assert cell[0] not in "=+-@＝\t\r" and cell.endswith(text.strip())


def test_other_cells_stay_as_they_are():
    assert safe_cell("videos/=a.avi") == "videos/=a.avi"
    assert safe_cell("") == ""
