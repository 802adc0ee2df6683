"""JSON files that describe others: what was written is read, and nothing else."""

import json
import tracemalloc
from typing import Any

import pytest

from helpers.tampering import damaged_texts
from video3d.common.documents import LATER, SEAL, Complete, Document, read_document, read_json, sealed
from video3d.common.errors import UserError
from video3d.common.settings import FramesSettings


class Example(Document):
    labels: list[str]
    frames: Complete[FramesSettings]
    shares: dict[str, float] = LATER


CONTENT = {"labels": ["ä", "b"], "frames": {"short_side": 24, "quality": 85}, "shares": {"x": 0.1, "a": 1e-7}}


def read(path, text: str | bytes) -> dict[str, Any]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_document(path, Example, remedy="restore it")


def test_what_was_written_is_read_and_its_checksum_is_the_last_key(tmp_path):
    text = sealed(CONTENT)
    assert list(json.loads(text))[-1] == SEAL
    assert read(tmp_path / "file.json", text) == CONTENT | {SEAL: json.loads(text)[SEAL]}


def test_order_and_spaces_do_not_count_and_early_versions_had_no_checksum(tmp_path):
    content = json.loads(sealed(CONTENT))
    text = json.dumps(dict(reversed(content.items())), separators=(",", ":"))
    assert read(tmp_path / "file.json", text) == content
    assert read(tmp_path / "file.json", json.dumps(CONTENT)) == CONTENT


@pytest.mark.parametrize(("old", "new"), [('"ä"', '"a"'), ("24", "25"), ("0.1", "0.2"), ("1e-07", "2e-07")])
def test_every_change_is_noticed(tmp_path, old, new):
    text = sealed(CONTENT)
    assert old in text
    with pytest.raises(UserError, match=r"file\.json is damaged: it was changed after it was written.*; restore it"):
        read(tmp_path / "file.json", text.replace(old, new))


@pytest.mark.parametrize("name", damaged_texts(sealed(CONTENT)))
def test_damaged_files_are_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"file\.json is damaged: .*; restore it"):
        read(tmp_path / "file.json", damaged_texts(sealed(CONTENT))[name])


def test_a_large_file_is_not_read_whole(tmp_path):
    with (tmp_path / "file.json").open("wb") as file:
        file.truncate(2 << 30)
    tracemalloc.start()
    with pytest.raises(UserError, match="more than 8 MiB"):
        read_document(tmp_path / "file.json", Example, remedy="restore it")
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


def test_a_default_is_not_taken_for_what_a_file_says(tmp_path):
    with pytest.raises(UserError, match="frames: expected also quality"):
        read(tmp_path / "file.json", json.dumps(CONTENT | {"frames": {"short_side": 24}}))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.json cannot be read \(No such file or directory\); restore it"):
        read_document(tmp_path / "none.json", Example, remedy="restore it")


def test_a_file_of_very_many_small_things_is_refused_before_they_are_made(tmp_path):
    (tmp_path / "a.json").write_text('{"labels": [' + "{}," * 200_000 + "{}]}")
    with pytest.raises(UserError, match="more than 200000 items"):
        read_json(tmp_path / "a.json", "delete it")
