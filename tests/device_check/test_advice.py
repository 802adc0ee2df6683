"""The advice, by hand."""

import pytest

from video3d.common.settings import resolve
from video3d.device_check.advice import advise, parts_that_fit
from video3d.device_check.rows import Row


def rows(verdict="ok"):
    steps = {"memory": 2, "total": 100}
    return [
        Row("bfloat16", verdict, "", {}),
        Row("training float32", "ok", "", steps | {"rate": 10, "precision": "float32", "batch": 1}),
        Row("training bfloat16", "ok", "", steps | {"rate": 20, "precision": "bfloat16", "batch": 1}),
        Row("evaluation", "ok", "", {"rate": 11213}),
        *(Row("loader", "ok", "", {"rate": 12 * n, "workers": n}) for n in (1, 2, 4)),
    ]


def test_the_fastest_precision_that_is_right():
    assert advise(rows(), resolve({}))["precision"] == "bfloat16"
    assert advise(rows("wrong"), resolve({}))["precision"] == "float32"


def test_hours_and_threads():
    advice = advise(rows(), resolve({}))
    assert advice["loader_threads"] == 2  # 24 clips/s are enough for 20
    assert advice["hours"] == pytest.approx((25 * 28747 / 20 + 1) / 3600)


def test_parts():
    """Three units a clip and ten beside it: 64 clips take 202, 32 take 106, 16 take 58."""
    measured = [{"batch": batch, "memory": 10 + 3 * batch, "total": 100} for batch in (2, 8)]
    assert parts_that_fit(measured, 64) == 4
    assert parts_that_fit(measured[:1], 64) is None


def test_nothing_measured():
    assert advise([], resolve({})) == {"batch_size": 64}
