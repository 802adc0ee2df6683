"""The tables of the report, and how a page shows them."""

import numpy as np
import pandas as pd

from video3d.report import html_page, tables


def test_audit_is_counted_by_class() -> None:
    audit = pd.DataFrame({"class": ["A", "A", "B"], "status": ["ok", "missing", "ok"]})
    by_class = tables.count_statuses(audit)
    assert by_class.to_dict("records") == [
        {"class": "A", "videos": 2, "ok": 1, "missing": 1},
        {"class": "B", "videos": 1, "ok": 1, "missing": 0},
    ]
    assert tables.audit_sentence(by_class) == "3 videos of 2 classes, decoded frame by frame: 2 ok, 1 missing."


def test_table_shows_per_cent() -> None:
    frame = pd.DataFrame({"class": ["A & B", None], "top1": [0.25, np.nan], "seed": [10001, 2], "videos": [1234, 5.5]})
    table = html_page.render_table(frame)
    assert table["rows"] == [["A & B", "25.0 %", "10001", "1,234"], ["", "–", "2", "5.5"]]
    assert [column["number"] for column in table["columns"]] == [False, True, True, True]
    assert [column["class"] for column in table["columns"]] == [True, False, False, False]
    assert "%26" in table["csv"]


def test_checksums_are_whole_in_the_csv_only() -> None:
    table = html_page.render_table(pd.DataFrame({"sha256": ["0123456789abcdef", "0123"], "class": ["a" * 20, ""]}))
    assert table["rows"] == [["0123456789ab…", "a" * 20], ["0123", ""]]
    assert "0123456789abcdef" in table["csv"]


def test_columns_that_say_nothing_are_in_the_csv_only() -> None:
    table = html_page.render_table(pd.DataFrame({"a": [1, 2], "b": ["", ""], "c": [np.nan, np.nan], "d": [0, 0]}))
    assert [column["title"] for column in table["columns"]] == ["a", "d"]
    assert table["csv"].startswith("a,b,c,d")
    for seeds, shown in (([1, 1], []), ([1, 2], ["seeds"])):
        table = html_page.render_table(pd.DataFrame({"a": [1, 1], "seeds": seeds}))
        assert [column["title"] for column in table["columns"]] == ["a", *shown]


def test_no_row_is_lost_of_a_long_table() -> None:
    table = html_page.render_table(pd.DataFrame({"number": range(250)}))
    assert [row for (row,) in table["rows"] + table["more"]] == [str(number) for number in range(250)]
    assert len(table["rows"]) == html_page.ROWS_SHOWN
