"""metadata.json of an exported model, changed in every way: refused in words, or it says what can be."""

import json
import shutil

import pytest

from helpers.exported import MODEL, write_model
from helpers.tampering import damaged_texts, tampered, write
from video3d.common.documents import SEAL, sealed
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.settings import ClipSettings
from video3d.evaluation.exported_model import read_metadata
from video3d.evaluation.model_metadata import read_origin
from video3d.evaluation.predictor import Predictor

FACTS = {
    "weights": {
        "origin": "given", "source": "w.pdparams", "sha256": "0" * 64, "made_by": "this project", "classes_named": True,
        "training_data_known": True, "test_videos": 3, "test_videos_trained_on": 1, "test_groups": 3,
        "test_groups_trained_on": 1, "videos_trained_on": ["v_Archery_g01_c01"], "groups_trained_on": [["Archery", 1]],
        "start": {"source": "s.pth", "sha256": "1" * 64}, "file_state": "3 bytes, 5", "replacement": "",
    },
    "training": {"train": {"sampling": "segments"}, "seed": 1, "commit": None, "versions": {"python": "3.11"}},
    "versions": {"paddle": "3.3.1"},
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("exported") / "model", **FACTS)


@pytest.fixture
def model(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "model")


def test_what_is_exported_is_read(model):
    metadata = read_metadata(model)
    assert metadata["model"] == MODEL
    assert {name: metadata[name] for name in FACTS} == FACTS
    assert SEAL in metadata


def test_every_change_is_noticed(model):
    path = model / "metadata.json"
    changes = list(tampered(json.loads(path.read_text())))
    assert len(changes) > 1000
    for what, content in changes:
        if not what.startswith(f"('{SEAL}',)"):
            write(path, content, "kept")
            with pytest.raises(UserError):
                pytest.fail(f"{what}: {read_metadata(model)}")


def test_what_is_changed_with_its_checksum_is_within_limits_or_refused(model):
    """Early versions wrote no checksum: nothing that can be read asks for more than the settings could."""
    path = model / "metadata.json"
    accepted = []
    for what, content in tampered({k: v for k, v in json.loads(path.read_text()).items() if k != SEAL}):
        write(path, content, "none")
        try:
            metadata = read_metadata(model)
        except UserError:
            continue
        accepted.append(what)
        sealed(metadata).encode()
        ClipSettings.model_validate(metadata["clip"])
        assert metadata["clip"].keys() == ClipSettings.model_fields.keys()
        assert metadata["protocol"] and metadata["frames"] and len(set(metadata["labels"])) == len(metadata["labels"])
        assert metadata["weights"]["origin"] and "training_data_known" in metadata["weights"]
    assert "('resizing',) removed" in accepted and "('frames',) removed" not in accepted


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("clip", "frames", 100_000, "clip: frames: .*less than or equal to 1024"),
        ("clip", "size", 0, "clip: size: .*greater than or equal to 8"),
        ("clip", "frames", 1024, "clip: expected a clip of at most 16,777,216 pixels"),
        ("clip", "std", [0, 1, 1], "clip: std: 0: .*greater than or equal to 0.000001"),
        ("model", "width", 1500, "model: width"),
        ("files", "model.json", "x", "files: model.json: expected 64 digits"),
    ],
)
def test_what_is_too_large_is_named(model, part, key, value, words):
    path = model / "metadata.json"
    content = json.loads(path.read_text())
    content["clip"]["size"] = 256
    content[part][key] = value
    write(path, content, "none")
    with pytest.raises(UserError, match=rf"metadata\.json is damaged: {words}.*export the model again"):
        read_metadata(model)


@pytest.mark.parametrize("name", ["half", "a key twice", "deep"])
def test_damaged_files_are_refused(model, name):
    path = model / "metadata.json"
    path.write_bytes(damaged_texts(path.read_text())[name])
    with pytest.raises(UserError, match="export the model again"):
        read_metadata(model)


@pytest.mark.parametrize("labels", [["Archery", "Biking"], ["Archery", "Biking", "Bowling", "Diving"]])
def test_classes_that_the_network_does_not_have_are_refused(model, labels):
    path = model / "metadata.json"
    write(path, json.loads(path.read_text()) | {"labels": labels}, "none")
    with pytest.raises(UserError, match=rf"names {len(labels)} classes, but the model beside it tells 3 apart"):
        Predictor(model, device="cpu")


@pytest.mark.parametrize("change", [{"frames": 8}, {"size": 32}, {"frames": 8, "size": 32}])
def test_clips_that_the_network_was_not_exported_for_are_refused(model, change):
    """Also with a new checksum."""
    path = model / "metadata.json"
    content = json.loads(path.read_text())
    write(path, content | {"clip": content["clip"] | change}, "new")
    with pytest.raises(UserError, match=r"a clip is \(\d+, \d+, \d+, 3\).* was exported for \(4, 16, 16, 3\)"):
        read_metadata(model)


def test_a_program_that_is_none_is_refused(model):
    """As the files of a stranger are, with checksums that fit."""
    path = model / "metadata.json"
    content = json.loads(path.read_text())
    for program in (b"", b"[]", b"{", b'{"base_code": {"magic": "pir"}}'):
        (model / "model.json").write_bytes(program)
        files = content["files"] | {"model.json": sha256(model / "model.json")}
        write(path, content | {"files": files}, "new")
        with pytest.raises(UserError, match="export the model again"):
            read_metadata(model)


def test_a_name_that_no_folder_can_have_is_refused():
    with pytest.raises(UserError, match=r"a… cannot be used: File name too long"):
        read_metadata("a" * 300)


def test_metadata_of_an_early_version_are_read_and_said_to_be_unchecked(model, caplog):
    path = model / "metadata.json"
    write(path, json.loads(path.read_text()), "none")
    read_metadata(model)
    assert "has no checksum: nobody knows whether it was changed" in caplog.text


def test_what_is_known_of_an_origin_is_checked_too(tmp_path):
    write(tmp_path / "origin.json", FACTS["weights"], "new")
    assert read_origin(tmp_path / "origin.json") == FACTS["weights"]
    for _, content in tampered(FACTS["weights"]):
        write(tmp_path / "origin.json", content, "none")
        try:
            origin = read_origin(tmp_path / "origin.json")
        except UserError:
            continue
        assert origin["origin"] in {"given", "trained", "replaced", "unchecked"}
        if origin["training_data_known"]:
            assert all(isinstance(video, str) for video in origin["videos_trained_on"])
            assert all(len(group) == 2 for group in origin["groups_trained_on"])
