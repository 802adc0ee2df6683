"""weights.json, changed in every way: refused in words, or it is of the network beside it."""

import json

import pytest

from helpers.exported import CLASSES, MODEL, write_weights
from helpers.tampering import damaged_texts, tampered, write
from video3d.common.documents import SEAL, sealed
from video3d.common.errors import UserError
from video3d.common.settings import resolve
from video3d.evaluation.model_description import describe_model
from video3d.weights.description import read_description
from video3d.weights.import_weights import load_any

FACTS = {
    "resizing": "triangle", "data": "2" * 64, "code": "abc", "commit": None, "versions": {"python": "3.11"},
    "device": "cpu", "attempts": [{"seconds": 3.5, "device": "cpu"}],
    "dataset": {"name": "tiny", "classes": CLASSES, "faulty_videos": "stop"},
    "frames": {"short_side": 24, "quality": 85}, "validation_groups": [], "history_sha256": "3" * 64,
    "start": {"source": "s.pth", "sha256": "1" * 64},
    "training_data": {"complete": True, "videos": {"Archery": {"8": {"v_Archery_g08_c01": "a8"}}}},
}  # fmt: skip


@pytest.fixture
def weights(tmp_path):
    return write_weights(tmp_path / "weights.pdparams", **FACTS)


def content_of(weights) -> dict:
    return json.loads(weights.with_suffix(".json").read_text())


def test_what_training_writes_is_read(weights):
    described = read_description(weights)
    assert {name: described[name] for name in FACTS} == FACTS
    assert described == content_of(weights)


def test_every_change_is_noticed(weights):
    for what, content in tampered(content_of(weights)):
        if not what.startswith(f"('{SEAL}',)"):
            write(weights.with_suffix(".json"), content, "kept")
            with pytest.raises(UserError, match=r"weights\.json is damaged: .*deleting it helps"):
                pytest.fail(f"{what}: {read_description(weights)}")


def test_what_is_changed_in_an_early_description_is_refused_or_of_the_network_beside_it(weights):
    """All that export.py asks of a description, without the seconds of building the network."""
    accepted = []
    for what, content in tampered(content_of(weights)):
        write(weights.with_suffix(".json"), content, "none")
        try:
            _, known = load_any(weights)
            metadata = describe_model(weights, known, resolve({"clip": {"frames": 4, "size": 16}}), CLASSES)
        except UserError:
            continue
        accepted.append(what)
        sealed(metadata).encode()
        assert metadata["model"] | {"dropout": 0.0} == MODEL
        assert metadata["labels"] == CLASSES
        assert min(metadata["clip"]["std"]) > 0
    assert "('code',) removed" in accepted and "('clip', 'std') removed" not in accepted


@pytest.mark.parametrize("name", ["half", "a key twice", "deep"])
def test_damaged_files_are_refused(weights, name):
    path = weights.with_suffix(".json")
    path.write_bytes(damaged_texts(path.read_text())[name])
    with pytest.raises(UserError, match="deleting it helps"):
        load_any(weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": MODEL | {"width": 1000}}, r"says model: width: 1000, but the weights beside it are of 4"),
        ({"model": MODEL | {"depth": 200}}, r"says model: depth: 200, but the weights beside it are of 10"),
        ({"labels": CLASSES[:2]}, r"names 2 classes, but the weights beside it know 3"),
    ],
)
def test_a_description_of_another_network_is_refused(weights, change, words):
    write(weights.with_suffix(".json"), content_of(weights) | change, "new")
    with pytest.raises(UserError, match=rf"weights\.json {words}; restore it"):
        load_any(weights)


def test_a_description_of_an_early_version_is_read_and_said_to_be_unchecked(weights, caplog):
    early = ("labels", "model", "clip", "train", "seed", "data", "code", "sha256")
    content = {name: value for name, value in content_of(weights).items() if name in early}
    content["train"] = {"sampling": "segments", "average": 0.5, "compile": True}
    write(weights.with_suffix(".json"), content, "none")
    assert load_any(weights)[1]["train"] == {"sampling": "segments", "ema_decay": 0.5}
    assert "has no checksum: nobody knows whether it was changed" in caplog.text
