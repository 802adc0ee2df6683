"""Which weights are evaluated: another file is noticed, whatever its time."""

import json
import os

from video3d.common.files import file_state
from video3d.preflight.evaluated_weights import replacement, weights_mark


def test_each_file_that_is_given_has_an_origin_of_its_own(tmp_path):
    weights, other = tmp_path / "mine.pdparams", tmp_path / "other.pdparams"
    for file in (weights, other):
        file.write_bytes(b"one")
        os.utime(file, (1, 1))
    names = {weights_mark(None), weights_mark(str(weights)), weights_mark(str(other))}
    assert len(names) == 3 and "trained" in names
    before = weights_mark(str(weights))
    assert weights_mark(str(weights)) == before
    weights.write_bytes(b"another")
    assert weights_mark(str(weights)) != before


def test_weights_replace_others_when_their_state_is_not_the_one_that_was_kept(tmp_path):
    weights, origin = tmp_path / "weights.pdparams", tmp_path / "trained.json"
    assert replacement(weights, origin) == ""
    weights.write_bytes(b"one")
    assert replacement(weights, origin) == ""
    origin.write_text(json.dumps({"file_state": file_state(weights), "replacement": "what was said then"}))
    assert replacement(weights, origin) == "what was said then"
    os.utime(weights, (1, 1))
    assert replacement(weights, origin) == file_state(weights)
