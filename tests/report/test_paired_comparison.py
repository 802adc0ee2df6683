"""Two runs compared, against values worked out by hand."""

import pytest

from helpers.predictions import predictions
from video3d.report import paired_comparison


def test_paired_difference_uses_common_videos() -> None:
    ours = predictions(("a1", 1, "A", "A", 1), ("a2", 2, "A", "A", 1), ("b1", 1, "B", "B", 1))
    theirs = predictions(("a1", 1, "A", "B", 1), ("a2", 2, "A", "A", 1), ("c1", 1, "B", "B", 1))
    shared = paired_comparison.pair_answers(ours, theirs)
    assert shared[["video", "ours", "theirs", "difference"]].values.tolist() == [["a1", 1, 0, 1], ["a2", 1, 1, 0]]
    found = paired_comparison.summarise_pairs(shared)
    assert {name: found[name] for name in ("videos", "ours", "theirs", "difference")} == {
        "videos": 2, "ours": 1, "theirs": 0.5, "difference": 0.5,
    }  # fmt: skip
    # Two videos, one of them changed; with the two of Bonett and Price p = 2/4 and 1/4. The upper bound is cut off.
    assert found["low"] == pytest.approx(1 / 4 - 1.959964 * ((3 / 4 - 1 / 16) / 4) ** 0.5)
    assert found["high"] == 1
    assert paired_comparison.pair_answers(ours, theirs[2:]).empty
