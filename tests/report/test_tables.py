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


def test_table_shows_per_cent_and_keeps_numbers_for_sorting() -> None:
    frame = pd.DataFrame({"class": ["A & B", None], "top1": [0.25, np.nan], "seed": [10001, 2], "videos": [1234, 5.5]})
    table = html_page.render_table(frame)
    assert [cell["text"] for cell in table["rows"][0]] == ["A & B", "25.0 %", "10001", "1,234"]
    assert [cell["text"] for cell in table["rows"][1]] == ["", "–", "2", "5.5"]
    assert [column["number"] for column in table["columns"]] == [False, True, True, True]
    assert table["rows"][0][1]["value"] == 0.25
    assert "%26" in table["csv"]
