"""Mistakes that a person makes on a folder that holds a finished run: each is named, and no file is touched."""

import hashlib
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers.tiny_project import Workflow

KEPT = ("results", "data", "resources")


class Mistake(NamedTuple):
    """What is called, beyond `snakemake --configfile tiny.yaml --cores 2`, and what the answer must say."""

    arguments: tuple[str, ...]
    said: tuple[str, ...]
    traceback: bool = False  # of Snakemake's own, before it reads a line of ours


def setting(text: str, *said: str) -> Mistake:
    """A mistake in a setting on the command line."""
    return Mistake(("--config", text), said)


MISTAKES = {
    # numbers and names
    "text where a number is due": setting(
        "train={epochs: three}", "train: epochs: expected a whole number, found the text 'three'"
    ),
    "half an epoch": setting("train={epochs: 2.5}", "train: epochs: expected a whole number, found 2.5"),
    "no epoch": setting("train={epochs: 0}", "train: epochs: expected at least 1, found 0"),
    "not a number": setting("train={learning_rate: .nan}", "train: learning_rate: expected a finite number, found"),
    "infinity": setting("train={learning_rate: 1e999}", "train: learning_rate: expected a finite number, found inf"),
    "a key of a section at the top": setting(
        "epochs=3", "unknown key epochs; did you mean train: epochs? Write --config 'train={epochs: 3}'"
    ),
    "another program's name": setting(
        "lr=0.1", "unknown key lr; did you mean train: learning_rate? Write --config 'train={learning_rate: 0.1}'"
    ),
    "an old name": setting("train={average: 0.9}", "unknown key train: average; did you mean ema_decay?"),
    "another program's name, in its section": setting(
        "train={learning-rate: 1e-2}", "unknown key train: learning-rate; did you mean learning_rate?"
    ),
    "a key of two sections": setting("batch_size=4", "did you mean train: batch_size or evaluate: batch_size?"),
    "what is no setting": setting("num_workers=4", "unknown key num_workers; it is no setting", "--cores"),
    "a misspelt section": setting("trian={epochs: 3}", "unknown key trian; did you mean train?"),
    "a misspelt choice": setting(
        "evaluate={protocols: [slidng]}", "segments, sliding, uniform (did you mean sliding?), found the text 'slidng'"
    ),
    "two mistakes": setting("train={bach_size: 1, epochz: 2}", "train: bach_size", "train: epochz"),
    "a list that is none": setting("splits=1", "splits: expected a list, found 1; a list is written [1]"),
    "a split that does not exist": setting("splits=[4]", "splits: there is no split 4; the data set has 1, 2, 3"),
    "a path as run": setting("run=../elsewhere", "run: expected a name of letters", "found the text '../elsewhere'"),
    "braces in the run": setting("run='a{b}'", "run: expected a name of letters", "a{b}"),
    "a wildcard in the data set's name": setting("dataset={name: '<run>'}", "dataset: name: expected a name", "<run>"),
    "a group of settings that is a word": setting("predict=clips", "predict: expected a group of settings"),
    "half a checksum": setting("dataset={videos_sha256: abc}", "dataset: videos_sha256: expected 64 digits"),
    # classes, groups and batches
    "a misspelt class": setting(
        "dataset={classes: [Aproach, Retreat]}", "there is no class Aproach, did you mean Approach?"
    ),
    "a class listed twice": setting("dataset={classes: [Retreat, Approach, Retreat]}", "Retreat is listed twice"),
    "a group that is in no training list": setting("validation_groups=[9]", "validation_groups: 9 not in the training"),
    "all groups held out": setting("validation_groups=[1, 2, 3, 4]", "validation_groups", "not in the training list"),
    "a plateau of nothing": setting("train={schedule: plateau}", "train: schedule: plateau needs validation_groups"),
    "a batch larger than the data": setting(
        "train={batch_size: 10}", "split 1: train: batch_size: 10 is larger than the data: there are 9 training videos"
    ),
    "a batch smaller than the team": setting(
        "train={batch_size: 1, devices: 2}", "train: batch_size: 1 cannot be shared by train: devices: 2"
    ),
    # networks and engines
    "a cardinality without bottlenecks": setting(
        "model={cardinality: 2}", "model: cardinality: 2 needs a depth of at least 50 (bottleneck blocks), not 10"
    ),
    "a cardinality that divides no width": setting(
        "model={depth: 50, cardinality: 3}", "model: cardinality: 3 does not divide twice the width, 4"
    ),
    "a stage that is not there": setting(
        "train={lr_multipliers: {layer5: 0.1}}",
        "train: lr_multipliers: layer5: the network has no such stage; it has conv1",
    ),
    "an engine of GPUs on a CPU": setting(
        "evaluate={engine: tensorrt}", "evaluate: engine: tensorrt runs on a GPU, not on the CPU; set engine: auto"
    ),
    "an engine of CPUs on a GPU": Mistake(
        ("--config", "evaluate={engine: onednn}", "device=gpu"),
        ("evaluate: engine: onednn runs on a CPU, not on the GPU; set engine: auto, or device: cpu",),
    ),
    # files
    "missing weights to evaluate": setting(
        "evaluate={weights: {1: results/tiny/split1/seed7/weight.pdparams}}",
        "evaluate: weights: 1: results/tiny/split1/seed7/weight.pdparams does not exist",
        "did you mean results/tiny/split1/seed7/weights.pdparams?",
    ),
    "weights in a folder that is not there": setting(
        "evaluate={weights: {2: nowhere/a.pdparams}}", "evaluate: weights: 2: nowhere/a.pdparams does not exist, nor"
    ),
    "a folder as weights": setting("evaluate={weights: {1: results}}", "evaluate: weights: 1: results is a folder"),
    "weights of a split that is not run": setting(
        "evaluate={weights: {3: results/tiny/split1/seed7/weights.pdparams}}",
        "evaluate: weights: 3", "split 3, which is not in splits: [1, 2]",
    ),
    "weights of a fourth split": setting("evaluate={weights: {4: a.pdparams}}", "split 4, which is not in splits"),
    "missing weights to start from": setting(
        "train={weights: 'a{b} <run>.pdparams'}", "train: weights: a{b} <run>.pdparams does not exist"
    ),
    "a run that is not there": setting(
        "report={compare: [tinny]}", "report: compare: tinny: results/tinny/accuracy.csv does not exist"
    ),
    "a run compared with itself": setting("report={compare: [tiny]}", "report: compare: tiny is this run itself"),
    "a missing archive": setting(
        "dataset={videos: [source/video.zip]}", "dataset: videos: source/video.zip does not exist",
        "did you mean source/videos.zip?",
    ),
    "missing lists": setting(
        "dataset={lists: [source/list.zip]}", "dataset: lists: source/list.zip does not exist",
        "did you mean source/lists.zip?",
    ),
    "a folder without videos": setting("dataset={videos: [rules]}", "dataset: videos: there is no video in the folder"),
    "a folder without lists": setting("dataset={lists: [rules]}", "classInd.txt does not exist"),
    "nothing to predict": setting("predict={videos: empty}", "predict: videos: there is no file in empty"),
    "a missing folder to predict": setting("predict={videos: clips}", "predict: videos: clips does not exist"),
    "predict without a folder": Mistake(("predict",), ("predict: videos: is not set",)),
    "a GPU that is not there": setting("device=gpu", "device: gpu, but", "device: auto or device: cpu"),
    "other lists under the same name": setting(
        "dataset={lists: [other_lists]}", "other_lists holds other lists than resources/tiny/ucfTrainTestlist"
    ),
    # a finished run that would be replaced
    "other epochs": setting("train={epochs: 5}", "train.epochs: 2 → 5", "replace=true", "split2/seed7: 2 epochs"),
    "a larger network": setting("model={width: 3}", "model.width: 2 → 3"),
    "smaller frames": setting("frames={short_side: 20}", "frames.short_side: 24 → 20"),
    "groups held out of a finished run": setting("validation_groups=[4]", "validation_groups: [] → [4]"),
    "fewer classes": setting("dataset={classes: [Retreat, Approach]}", "dataset.classes: [", "run=<name>"),
    "weights to start from, in a finished run": setting(
        "train={weights: results/tiny/split1/seed7/weights.pdparams}", "train.weights: null → "
    ),
    # the command itself
    "a misspelt target": Mistake(("repotr",), ("repotr",)),
    "a target of another run": Mistake(("results/other/accuracy.csv",), ("results/other/accuracy.csv",)),
    "a missing recipe": Mistake(("--configfile", "recipes/dmeo.yaml"), ("recipes/dmeo.yaml",), traceback=True),
    "a recipe that lacks its file": Mistake(
        ("--configfile", "recipes/finetune-kinetics.yaml"),
        ("train: weights: resources/weights/resnet-18-kinetics.pth does not exist",),
    ),
}  # fmt: skip
# One mistake for each place where mistakes are found.
FOUND_BY = {
    "the schema": "a misspelt section",
    "the settings": "a batch smaller than the team",
    "the lists": "a batch larger than the data",
    "the files": "a missing archive",
    "the device": "a GPU that is not there",
    "the finished run": "other epochs",
    "Snakemake": "a misspelt target",
}
JARGON = ("is not of type", "additionalProperties", "given schemas", "does not match", "^[A-Z", "^[0-9")


@pytest.fixture(scope="module")
def untouched(finished_project: Path, tmp_path_factory) -> Workflow:
    """One finished run for all mistakes, as they change nothing."""
    folder = tmp_path_factory.mktemp("mistakes") / "project"
    shutil.copytree(finished_project, folder, symlinks=True)
    (folder / "empty").mkdir()
    shutil.copytree(folder / "resources/tiny/ucfTrainTestlist", folder / "other_lists")
    (folder / "other_lists/testlist02.txt").replace(folder / "other_lists/testlist01.txt")
    return Workflow(folder)


def content(folder: Path) -> dict[str, str]:
    """The checksum of every file that holds data or results, by its path."""
    files = (path for name in KEPT for path in (folder / name).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def before(untouched: Workflow) -> dict[str, str]:
    return content(untouched.folder)


def check(untouched: Workflow, before: dict[str, str], mistake: Mistake, *dry: str) -> None:
    """The mistake is named, and no file is touched."""
    text = untouched.fail(*dry, *mistake.arguments)
    assert all(said in text for said in mistake.said), text
    assert not any(word in text for word in JARGON), text
    assert mistake.traceback or "Traceback" not in text, text
    assert content(untouched.folder) == before


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_touches_nothing(untouched, before, mistake):
    check(untouched, before, mistake)


@pytest.mark.parametrize("found_by", FOUND_BY)
def test_a_dry_run_names_it_as_well(untouched, before, found_by):
    check(untouched, before, MISTAKES[FOUND_BY[found_by]], "--dry-run")
