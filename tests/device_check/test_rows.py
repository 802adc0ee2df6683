"""A device that fails in every way: each check is a row, and none stops the next."""

from helpers import pretended_checks as pretended
from video3d.device_check.rows import Check, run_checks


def test_no_check_stops_the_others():
    names = ("raises", "is_killed", "leaves", "hangs", "works")
    rows = list(run_checks([Check(name, getattr(pretended, name)) for name in names], seconds=10))
    assert [row.name for row in rows] == list(names)
    assert [row.verdict for row in rows] == ["wrong"] * 4 + ["ok"]
    texts = {row.name: row.text for row in rows}
    assert texts["raises"] == "RuntimeError: CUDNN_STATUS_EXECUTION_FAILED"
    assert "signal 9" in texts["is_killed"] and "exit code 7" in texts["leaves"]
    assert texts["hangs"] == "no answer within 10 s"
