"""check_weights.py: where weights come from, and what they were trained on."""

import json

import pytest

import check_weights
from helpers.exported import CLASSES, write_weights
from helpers.script_call import call
from helpers.tiny_packs import write_dataset
from video3d.common.documents import sealed
from video3d.common.files import sha256
from video3d.dataset.split_table import read_split
from video3d.weights.training_data import record_training_data


@pytest.fixture
def dataset(tmp_path):
    """Four test videos of each of the classes."""
    return write_dataset(tmp_path / "data", CLASSES, videos=4, subset="test")


def trained_on(tmp_path, videos, sources, **facts):
    """Weights of seed 1 with their history, as they lie in a run."""
    folder = tmp_path / "seed1"
    folder.mkdir()
    (folder / "history.csv").write_text("epoch\n1\n")
    facts = {
        "training_data": record_training_data(videos, sources),
        "history_sha256": sha256(folder / "history.csv"),
    } | facts
    return write_weights(folder / "w.pdparams", **facts)


def check(tmp_path, dataset, weights, *more):
    arguments = ["--weights", weights, "--split-table", dataset / "split1.csv", "--frames", dataset / "frames"]
    result = call(check_weights.main, *arguments, *more, "--output", tmp_path / "origin.json")
    path = tmp_path / "origin.json"
    return result, json.loads(path.read_text()) if path.is_file() else None


def test_weights_that_have_seen_nothing_of_the_test(tmp_path, dataset):
    tested = read_split(dataset / "split1.csv")
    others = [video._replace(name=f"{video.name}x", group=f"{video.group}0") for video in tested]
    result, origin = check(tmp_path, dataset, trained_on(tmp_path, others, ["other"] * len(others)))
    assert result.returncode == 0, result.stderr
    assert origin["origin"] == "trained" and origin["training_data_known"] is True
    assert (origin["test_videos"], origin["test_videos_trained_on"]) == (12, 0)
    assert (origin["test_groups"], origin["test_groups_trained_on"]) == (12, 0)


def test_weights_that_know_the_test_are_refused_and_nothing_is_written(tmp_path, dataset):
    tested = read_split(dataset / "split1.csv")
    weights = trained_on(tmp_path, tested[:3], ["other"] * 3)
    result, origin = check(tmp_path, dataset, weights, "--given")
    assert result.returncode == 1 and origin is None
    assert "w.pdparams were trained on 3 of the 12 test videos" in result.stderr
    assert "3 of its 12 groups (recordings), such as v_Archery_g01_c01" in result.stderr
    assert "evaluate: {allow_leak: true}" in result.stderr


def test_a_leak_that_is_allowed_is_written_down(tmp_path, dataset):
    tested = read_split(dataset / "split1.csv")
    weights = trained_on(tmp_path, tested[:1], [f"file of {tested[1].name}"])
    allowed = "--settings", '{"evaluate": {"allow_leak": true}}'
    result, origin = check(tmp_path, dataset, weights, "--given", *allowed)
    assert result.returncode == 0, result.stderr
    assert origin["origin"] == "given"
    assert origin["videos_trained_on"] == [tested[0].name, tested[1].name]  # one by its name, one by its file


def test_weights_without_a_description_have_unknown_classes_and_training_data(tmp_path, dataset):
    weights = trained_on(tmp_path, [], []).rename(tmp_path / "seed1/latin\udcff.pdparams")
    result, origin = check(tmp_path, dataset, weights)
    assert origin["source"] == rf"{tmp_path}/seed1/latin\udcff.pdparams"
    assert origin["classes_named"] is False
    assert "do not tell the names of their classes: taken to be those of the split" in result.stderr
    assert origin["origin"] == "replaced" and origin["training_data_known"] is None
    assert origin["test_videos_trained_on"] is None
    assert "do not tell what they were trained on" in result.stderr


def test_a_description_of_other_weights_is_none(tmp_path, dataset):
    weights = trained_on(tmp_path, [], [])
    beside = weights.with_suffix(".json")
    beside.write_text(sealed(json.loads(beside.read_text()) | {"sha256": "0" * 64}))
    _, origin = check(tmp_path, dataset, weights)
    assert origin["origin"] == "replaced"


@pytest.mark.parametrize("facts", [{"seed": 2}, {"history_sha256": "0" * 64}])
def test_weights_of_another_training_are_replaced_ones_though_they_come_with_their_description(
    tmp_path, dataset, facts
):
    _, origin = check(tmp_path, dataset, trained_on(tmp_path, [], [], **facts))
    assert origin["origin"] == "replaced" and origin["training_data_known"] is True


def test_a_leak_of_groups_alone_is_written_down(tmp_path, dataset):
    tested = read_split(dataset / "split1.csv")
    weights = trained_on(tmp_path, [tested[0]._replace(name="another clip")], ["other"])
    _, origin = check(tmp_path, dataset, weights, "--settings", '{"evaluate": {"allow_leak": true}}')
    assert origin["videos_trained_on"] == [] and origin["groups_trained_on"] == [["Archery", "1"]]


def test_classes_in_another_order_are_refused(tmp_path, dataset):
    weights = trained_on(tmp_path, [], [], classes=CLASSES[::-1])
    result, origin = check(tmp_path, dataset, weights)
    assert result.returncode == 1 and "label 0 is Bowling, but Archery is wanted" in result.stderr and origin is None
