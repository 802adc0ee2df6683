"""What is known before anything runs: every fault is found without a network, a GPU or Paddle, and all at once."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from helpers.paths import PROJECT
from helpers.tiny_project import CLASSES, write_lists
from video3d.common.errors import UserError
from video3d.common.settings import DatasetSettings, resolve
from video3d.dataset import ucf101
from video3d.fetch.own_videos import find_videos
from video3d.fetch.sources import DataSource
from video3d.fetch.unpacked import unpacked_table
from video3d.model.architecture import STAGES
from video3d.preflight import plan


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to stand in, with the lists of the tiny data set and one video."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "v_Approach_g01_c01.avi").touch()
    write_lists(tmp_path / "lists.zip")
    return tmp_path


def faults(changes: dict, lists: DataSource | None = None, videos: DataSource | None = None) -> str:
    """What the check says about these settings on the tiny data set; empty if it has nothing to say."""
    base = {"dataset": {"name": "tiny", "classes": CLASSES}, "splits": [1, 2], "train": {"batch_size": 3}}
    config = resolve({key: base.get(key, {}) | changes.get(key, {}) if isinstance(base.get(key), dict)
                      else changes.get(key, base.get(key)) for key in base | changes})  # fmt: skip
    lists = lists or DataSource("archive", "lists.zip", "lists.zip")
    try:
        plan.check(config, videos or DataSource("folder", "", "clips"), lists)
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
    assert "did you mean Retreat?" in faults(wrong, DataSource("folder", "", "unpacked"))
    server = DataSource("url", "lists.zip", urls=("https://example.com/lists.zip",))
    assert faults(wrong, server) == ""  # who knows what the server has
    Path("resources/tiny").mkdir(parents=True)
    Path("unpacked/ucfTrainTestlist").rename("resources/tiny/ucfTrainTestlist")
    assert "did you mean Retreat?" in faults(wrong, server)


def test_the_official_lists_are_known_by_their_checksum(here):
    server = DataSource("url", "lists.zip", urls=("https://example.com/lists.zip",))
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
    assert "there is no video in the folder empty" in faults({}, videos=DataSource("folder", "", "empty"))
    assert "predict: videos: there is no file in empty" in faults({"predict": {"videos": "empty"}})


def archives(folder: str) -> tuple[DataSource, DataSource]:
    """Archives of videos and lists, as `choose_source` names those in a folder."""
    return tuple(DataSource("archive", name, f"{folder}/{name}") for name in ("videos.zip", "lists.zip"))


def test_archives_may_be_moved_away_once_a_run_is_finished(here):
    videos, lists = archives("source")
    dataset = {"classes": CLASSES, "videos": [videos.path], "lists": [lists.path]}
    changes = {"dataset": dataset}

    def missing() -> list[str]:
        said = faults(changes, lists, videos)
        return [name for name in ("videos", "lists") if f"dataset: {name}: source/{name}.zip does not exist" in said]

    assert missing() == ["videos", "lists"]
    table = unpacked_table(DatasetSettings(name="tiny", classes=CLASSES))
    for path in (table, Path("results/tiny/config.yaml"), Path("results/odd/config.yaml")):
        path.parent.mkdir(parents=True)
    Path("resources/tiny").mkdir(parents=True)
    with zipfile.ZipFile("lists.zip") as archive:
        archive.extractall("resources/tiny")
    table.touch()
    Path("results/odd/config.yaml").write_text("no settings")
    assert missing() == ["videos", "lists"]  # a wrong path looks the same, as no run tells the right one
    Path("results/tiny/config.yaml").write_text(yaml.safe_dump({"dataset": dataset | {"name": "tiny"}}))
    assert missing() == []
    assert "validation_groups: 9 not in" in faults(changes | {"validation_groups": [9]}, lists, videos)
    dataset["videos"] = ["source/video.zip"]
    assert missing() == ["videos"]
    dataset |= {"videos": [videos.path], "classes": CLASSES[:2]}  # which are yet to be unpacked
    assert missing() == ["videos"]


def test_reports_and_comparisons_need_no_source(here):
    config, missing = resolve({"evaluate": {"engine": "tensorrt"}, "device": "cpu"}), archives("gone")
    comparisons = ["results/a/compare_b.csv", "results/b/compare_c.csv"]
    plan.check(config, *missing, needs_data=False, computes_here=True)
    plan.check(config, *missing, comparisons, computes_here=True)
    for targets in ([], ["results/a/accuracy.csv", *comparisons]):
        with pytest.raises(UserError, match=r"gone/videos\.zip does not exist"):
            plan.check(config, *missing, targets)


@pytest.mark.parametrize(
    ("model", "words"),
    [({"cardinality": 2}, "model: cardinality: 2 needs a depth of at least 50 (bottleneck blocks), not 18"),
     ({"depth": 50, "cardinality": 32, "width": 8}, "model: cardinality: 32 does not divide twice the width, 16")],
)  # fmt: skip
def test_models_that_are_no_network(here, model, words):
    assert words in faults({"model": model})


@pytest.mark.parametrize(
    ("rates", "words"),
    [({"layer5": 1}, "lr_multipliers: layer5: the network has no such stage; it has conv1, bn1, layer1"),
     (dict.fromkeys(STAGES, 0), "lr_multipliers: every stage has the rate 0")],
)  # fmt: skip
def test_stages_that_are_not_there_or_all_frozen(here, rates, words):
    assert words in faults({"train": {"lr_multipliers": rates}})


def test_an_archive_that_a_rule_makes_need_not_be_there(here):
    assert faults({}, videos=DataSource("archive", "v.zip", "resources/demo/source/v.zip")) == ""
    assert "v.zip does not exist" in faults({}, videos=DataSource("archive", "v.zip", "v.zip"))


def test_the_check_imports_no_paddle():
    code = "import sys; from video3d.preflight import plan; sys.exit('paddle' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT / "workflow_scripts", check=True)


def own(here, changes: dict | None = None, files: int = 4) -> str:
    """What the check says about own videos of two classes, of which one has a recording more."""
    for name, count in (("跳舞", files), ("run", files + 1)):
        for number in range(count):
            path = here / "own" / name / f"take{number // 2} {number}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    find_videos.cache_clear()
    dataset = {"format": "folders", "name": "own", "classes": [], **(changes or {}).pop("dataset", {})}
    return faults({"dataset": dataset, **(changes or {})}, videos=DataSource("folder", "", "own"))


def test_own_videos_are_looked_at_before_anything_runs(here):
    assert own(here) == ""
    assert own(here, {"dataset": {"groups": r"^(\w+)", "folds": 2}}) == ""
    said = own(here, {"dataset": {"groups": r"^(\w+)", "folds": 3}})
    assert "folds: 3 splits need 3 groups (recordings) of every class, but these have fewer: 跳舞 2" in said
    assert "dataset: groups: 9 of 9 videos do not match '(x)'" in own(here, {"dataset": {"groups": "(x)"}})
    assert "dataset: name: ucf101 is the name of UCF101" in own(here, {"dataset": {"name": "ucf101"}})
    assert "there is no class runn, did you mean run?" in own(here, {"dataset": {"classes": ["runn", "跳舞"]}})


def test_splits_groups_and_batches_are_held_against_the_draw(here):
    assert "there is no split 4; the data set has 1, 2, 3" in own(here, {"splits": [4]})
    assert "split 1: validation_groups: anna not in the training list" in own(here, {"validation_groups": ["anna"]})
    assert "batch_size: 10 is larger than the data: there are 6 training" in own(here, {"train": {"batch_size": 10}})
