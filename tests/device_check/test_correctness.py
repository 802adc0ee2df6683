"""Each check as it is called, in this process, on the CPU."""

import numpy as np
import pytest

from video3d.device_check import correctness, golden, speed

TINY = {"model": {"depth": 10, "width": 2}, "clip": {"frames": 4, "size": 16}}


def test_the_cpu_computes_the_golden_values():
    assert correctness.logits("cpu", 1).verdict == "ok"
    assert correctness.losses("cpu", 1).verdict == "ok"


def test_other_golden_values_are_wrong(monkeypatch):
    values = golden.golden_values()
    values["logits"][0][0] += 0.01
    monkeypatch.setattr(correctness, "golden_values", lambda: values)
    assert correctness.logits("cpu", 1).verdict == "wrong"


@pytest.mark.parametrize(("found", "verdict"), [(1.0, "ok"), (1.0009, "ok"), (1.0011, "wrong"), (np.nan, "wrong")])
def test_the_limit(found, verdict):
    assert correctness.compare([found], [1.0], 0.001, "one").verdict == verdict


def test_what_a_cpu_cannot_do_is_skipped_with_the_reason():
    for precision in ("bfloat16", "float16"):
        assert correctness.half_precision("cpu", 1, precision)[:2] == (
            "skipped",
            "Paddle mixes precisions on GPUs only",
        )
    assert correctness.engine("cpu", 1, "tensorrt").verdict == "skipped"
    assert correctness.engine("cpu", 1, "onednn").verdict == "ok"
    assert correctness.same_bits("cpu", 1, True).verdict == "skipped"
    assert correctness.same_bits("cpu", 1, False).verdict == "ok"


def test_rates():
    for found in (
        speed.training("cpu", 1, 2, "float32", 0.01, TINY),
        speed.evaluation("cpu", 1, 2, 0.01, TINY),
        speed.loader(1, 0.01, TINY),
    ):
        assert found.verdict == "ok" and found.values["rate"] > 0
