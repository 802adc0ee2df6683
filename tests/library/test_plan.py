"""What is known before anything runs: every fault is found without a network, a GPU or Paddle, and all at once."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from paths import PROJECT
from tiny_project import CLASSES, write_lists
from video3d import plan, ucf101
from video3d.config import resolve
from video3d.console import UserError
from video3d.sources import Source


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to stand in, with the lists of the tiny data set and one video."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "v_Approach_g01_c01.avi").touch()
    write_lists(tmp_path / "lists.zip")
    return tmp_path


def faults(changes: dict, lists: Source | None = None, videos: Source | None = None) -> str:
    """What the check says about these settings on the tiny data set; empty if it has nothing to say."""
    base = {"dataset": {"name": "tiny", "classes": CLASSES}, "splits": [1, 2], "train": {"batch_size": 3}}
    config = resolve({key: base.get(key, {}) | changes.get(key, {}) if isinstance(base.get(key), dict)
                      else changes.get(key, base.get(key)) for key in base | changes})  # fmt: skip
    lists = lists or Source("archive", "lists.zip", "lists.zip")
    try:
        plan.check(config, videos or Source("folder", "", "clips"), lists)
    except UserError as error:
        return str(error)
    return ""


def test_what_can_work_is_let_through(here):
    assert faults({}) == ""
    assert faults({"train": {"schedule": "plateau"}, "validation_groups": [4]}) == ""


def test_all_faults_are_named_at_once(here):
    said = faults(
        {"train": {"weights": "a.pth", "schedule": "plateau", "batch_size": 10}, "report": {"compare": ["b"]}}
    )
    for words in ("train: weights: a.pth does not exist", "plateau needs validation_groups", "results/b/accuracy.csv",
                  "split 1: train: batch_size: 10 is larger than the data: there are 9 training videos"):  # fmt: skip
        assert words in said


def test_classes_are_those_of_local_lists_in_a_zip_in_a_folder_or_fetched_before(here):
    wrong = {"dataset": {"classes": ["Retreet", "Approach"]}}
    assert "no class Retreet, did you mean Retreat?" in faults(wrong)
    with zipfile.ZipFile("lists.zip") as archive:
        archive.extractall("unpacked")
    assert "did you mean Retreat?" in faults(wrong, Source("folder", "", "unpacked"))
    server = Source("url", "lists.zip", urls=("https://example.com/lists.zip",))
    assert faults(wrong, server) == ""  # who knows what the server has
    Path("resources/tiny").mkdir(parents=True)
    Path("unpacked/ucfTrainTestlist").rename("resources/tiny/ucfTrainTestlist")
    assert "did you mean Retreat?" in faults(wrong, server)


def test_the_official_lists_are_known_by_their_checksum(here):
    server = Source("url", "lists.zip", urls=("https://example.com/lists.zip",))
    official = {"classes": ["Archry"], "lists_sha256": ucf101.OFFICIAL_LISTS_SHA256}
    assert "there is no class Archry, did you mean Archery?" in faults({"dataset": official}, server)
    assert ucf101.OFFICIAL_LISTS_SHA256 in (PROJECT / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("groups", "words"),
    [([9], "validation_groups: 9 not in the training list"), ([2, 3, 4], "nothing is left to train on"),
     ([1], "split 1: validation_groups: 1 not in")],
)  # fmt: skip
def test_groups_are_looked_up_in_every_split(here, groups, words):
    assert words in faults({"validation_groups": groups, "splits": [1]})


def test_a_class_needs_two_training_videos(here):
    assert "a class needs two training videos" in faults({"validation_groups": [3, 4], "splits": [1]})


def test_what_is_only_evaluated_needs_no_training(here):
    Path("a.pdparams").touch()
    given = {"weights": {1: "a.pdparams", 2: "a.pdparams"}}
    assert faults({"evaluate": given, "train": {"batch_size": 1000, "schedule": "plateau"}}) == ""


def test_the_nearest_file_and_run_are_named(here):
    Path("results/paper").mkdir(parents=True)
    Path("results/paper/accuracy.csv").touch()
    Path("best.pdparams").touch()
    assert "did you mean best.pdparams?" in faults({"evaluate": {"weights": {1: "bst.pdparams"}}})
    assert "did you mean paper?" in faults({"report": {"compare": ["papper"]}})
    assert "runs to compare with: paper" in faults({"report": {"compare": ["x"]}})
    assert "train: weights: results is a folder" in faults({"train": {"weights": "results"}})


def test_an_empty_folder_of_videos_is_refused(here):
    Path("empty").mkdir()
    assert "there is no video in the folder empty" in faults({}, videos=Source("folder", "", "empty"))
    assert "predict: videos: there is no file in empty" in faults({"predict": {"videos": "empty"}})


def test_an_archive_that_a_rule_makes_need_not_be_there(here):
    assert faults({}, videos=Source("archive", "v.zip", "resources/demo/source/v.zip")) == ""
    assert "v.zip does not exist" in faults({}, videos=Source("archive", "v.zip", "v.zip"))


@pytest.mark.parametrize(
    ("device", "devices", "packages", "gpus", "words"),
    [
        ("gpu", 1, {"paddlepaddle"}, 4, "device: gpu, but the installed PaddlePaddle is the CPU build"),
        ("gpu", 1, {"paddlepaddle-gpu"}, 0, "device: gpu, but no GPU is visible"),
        ("gpu", 4, {"paddlepaddle-gpu"}, 2, "train: devices: 4, but 2 GPUs are visible"),
        ("auto", 4, {"paddlepaddle-gpu"}, 2, "train: devices: 4, but 2 GPUs are visible"),
        ("gpu", 2, {"paddlepaddle-gpu"}, 2, None),
        ("gpu", 1, set(), 1, None),
        ("auto", 2, {"paddlepaddle"}, 2, None),
        ("cpu", 2, {"paddlepaddle-gpu"}, 0, None),
    ],
)
def test_gpus_that_are_not_there(monkeypatch, device, devices, packages, gpus, words):
    monkeypatch.setattr(plan, "_installed", packages.__contains__)
    monkeypatch.setattr(plan, "visible_gpus", lambda: gpus)
    said = list(plan.device_faults(device, devices))
    assert (words in said[0]) if words else said == []


def test_the_check_imports_no_paddle():
    code = "import sys; from video3d import plan; sys.exit('paddle' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT / "workflow_scripts", check=True)
