"""What people do on a folder that holds results: nothing is said that was not computed, and nothing is lost."""

import hashlib
import json
import os
import pickle
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from video3d.weights.import_weights import load_any

RUN = "results/tiny"
SPLIT1 = f"{RUN}/split1/seed7"
SPLIT2 = f"{RUN}/split2/seed7"
ACCURACY = "--", f"{RUN}/accuracy.csv"  # a target that draws no figures, which take the longest
LEAK = "NOT A TEST: the weights of split 1, seed 7 (mine.pdparams) were trained on 3 of the 3 test videos"


def content(folder: Path) -> dict[str, str]:
    """The checksum of every file that holds data or results, by its path."""
    files = (path for name in ("results", "data") for path in (folder / name).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Files that are gone or other than they were."""
    return {path for path in before if after.get(path) != before[path]}


def notices(folder: Path, run: str = RUN) -> list[str]:
    """What stands above the number in the report, from its first line on."""
    page = (folder / run / "figures/landing.html").read_text()
    return re.findall("<p>(.*?)</p>", re.search(r'<aside class="notice".*?>(.*?)</aside>|$', page, re.DOTALL)[1] or "")


@pytest.fixture
def given(finished):
    """A finished run, and the weights of split 2 with their description as a file of the user's, mine.pdparams."""
    for suffix in ("pdparams", "json"):
        shutil.copyfile(finished.folder / SPLIT2 / f"weights.{suffix}", finished.folder / f"mine.{suffix}")
    return finished


def other_weights(source: Path, target: Path) -> None:
    """Weights that no training wrote."""
    tensors, _ = load_any(source)
    with target.open("wb") as file:
        pickle.dump({name: values * 1.01 for name, values in tensors.items()}, file, protocol=4)


def test_weights_that_were_trained_on_the_test_videos_are_refused_and_everything_stays(given):
    before = content(given.folder)
    text = given.fail("--config", "evaluate={weights: {1: mine.pdparams}}")
    assert "mine.pdparams were trained on 3 of the 3 test videos" in text and "allow_leak" in text
    assert content(given.folder) == before
    assert given.would_run() == {}


def test_a_leak_that_is_allowed_is_said_first_everywhere_and_forgotten_with_it(given):
    before = (given.folder / RUN / "accuracy.csv").read_bytes()
    given.run("--config", "evaluate={weights: {1: mine.pdparams}, allow_leak: true}")
    assert notices(given.folder)[0].startswith(LEAK)
    accuracy = pd.read_csv(given.folder / RUN / "accuracy.csv", dtype=str)
    assert accuracy["weights"].tolist() == ["given", "trained", "given and trained"]
    assert accuracy["trained_on"].tolist() == accuracy["groups_trained_on"].tolist() == ["3", "0", "3"]
    rows = pd.read_csv(given.folder / SPLIT1 / "segments/predictions.csv")
    assert (rows["trained_on"] == 1).all()
    given.run(*ACCURACY)
    assert (given.folder / RUN / "accuracy.csv").read_bytes() == before
    rows = pd.read_csv(given.folder / SPLIT1 / "segments/predictions.csv")
    assert (rows["trained_on"] == 0).all()


def test_given_weights_are_evaluated_without_asking_and_what_they_replace_is_said(finished):
    other_weights(finished.folder / SPLIT1 / "weights.pdparams", finished.folder / "mine.pdparams")
    text = finished.run("--config", "evaluate={weights: {1: ./mine.pdparams}}")
    assert 'holds other evaluations, which give way to those of this call: evaluate.weights: {} → {"1": "mine' in text
    assert "give way" not in finished.run("--dry-run", "--config", "evaluate={weights: {1: mine.pdparams}}")
    said = " ".join(notices(finished.folder))
    assert "Split 1, seed 7 was evaluated with given weights, not trained here: mine.pdparams" in said
    assert "Split 1, seed 7 has weights whose training data are unknown" in said
    accuracy = pd.read_csv(finished.folder / RUN / "accuracy.csv", dtype=str, keep_default_na=False)
    assert accuracy["trained_on"].tolist() == ["", "0", ""]


def test_replaced_weights_are_called_replaced_and_nothing_of_the_old_ones_is_shown(finished):
    weights = finished.folder / SPLIT1 / "weights.pdparams"
    other_weights(weights, weights)
    finished.run()
    said = " ".join(notices(finished.folder))
    assert "Split 1, seed 7 was evaluated with replaced weights" in said and "training data are unknown" in said
    model = json.loads((finished.folder / SPLIT1 / "model/metadata.json").read_text())
    assert model["weights"]["origin"] == "replaced"
    assert not model["training"]  # neither seed nor data nor commit of the old ones
    trained = json.loads((finished.folder / SPLIT1 / "weights.json").read_text())
    facts = (finished.folder / RUN / "figures/facts.rst").read_text()
    assert "|trainings| replace:: 1" in facts
    assert trained["sha256"] != model["weights"]["sha256"]


@pytest.mark.parametrize("damage", ["cut", "program", "network"])
def test_refused_weights_leave_the_model_and_its_evaluation(finished, damage):
    file = finished.folder / "mine.pdparams"
    whole = (finished.folder / SPLIT1 / "weights.pdparams").read_bytes()
    content_of = {
        "cut": whole[: len(whole) // 2],
        "program": b"cos\nsystem\n(S'touch created'\ntR.",
        "network": pickle.dumps({"fc.bias": [1.0]}),
    }
    file.write_bytes(content_of[damage])
    before = content(finished.folder)
    text = finished.fail("--config", "evaluate={weights: {1: mine.pdparams}}")
    assert "error" in text and "mine.pdparams" in text and "Traceback" not in text
    assert content(finished.folder) == before and not (finished.folder / "created").exists()
    assert finished.would_run() == {}


def test_start_weights_that_know_the_test_are_refused_and_others_are_said(given):
    before = content(given.folder)
    text = given.fail("--config", "run=tuned", "splits=[1]", "train={weights: mine.pdparams}")
    assert "mine.pdparams were trained on 3 of the 3 test videos" in text
    assert not (given.folder / "results/tuned/split1/seed7/weights.pdparams").exists()
    assert changed(before, content(given.folder)) == set()
    given.run("--config", "run=tuned", "splits=[2]", "train={weights: mine.pdparams}")
    assert any(
        "was trained starting from the weights mine.pdparams" in said for said in notices(given.folder, "results/tuned")
    )
    assert changed(before, content(given.folder)) == set()


def test_a_training_with_other_settings_is_not_replaced_unless_it_is_asked_for(finished):
    before = content(finished.folder)
    for dry in ([], ["--dry-run"]):
        text = finished.fail(*dry, "--config", "train={epochs: 1, milestones: [2]}")
        assert "train.epochs: 2 → 1" in text
        assert "split1/seed7: 2 epochs, finished" in text and "split2/seed7" in text
        assert "run=<name>" in text and "replace=true" in text and "Traceback" not in text
        assert content(finished.folder) == before
    finished.run("--config", "train={epochs: 1}", "replace=true", "--", f"{SPLIT1}/weights.pdparams")
    assert json.loads((finished.folder / SPLIT1 / "weights.json").read_text())["train"]["epochs"] == 1


def test_another_run_stands_beside_it(finished):
    before = content(finished.folder)
    finished.run(
        "--config", "run=short", "train={epochs: 1}", "frames={short_side: 20}", "--", "results/short/accuracy.csv"
    )
    assert changed(before, content(finished.folder)) == set()
    assert finished.would_run() == {}


@pytest.mark.parametrize("settings", [["device=auto"], ["report={note: another}"], ["evaluate={batch_size: 2}"]])
def test_settings_that_no_training_depends_on_do_not_stop(finished, settings):
    assert "train" not in finished.would_run("--config", *settings)


def test_tables_that_a_training_was_made_from_are_not_replaced_by_a_call_that_trains_nothing(given):
    before = content(given.folder)
    text = given.fail("export_lists", "--config", "validation_groups=[4]")
    assert "validation_groups: [] → [4]" in text
    weights = "{1: mine.pdparams, 2: mine.pdparams}"
    given.fail("--config", "validation_groups=[4]", f"evaluate={{weights: {weights}, allow_leak: true}}")
    assert content(given.folder) == before


def test_weights_with_an_older_time_are_noticed(finished):
    weights = finished.folder / SPLIT1 / "weights.pdparams"
    other_weights(weights, weights)
    os.utime(weights, (1e9, 1e9))
    assert finished.would_run()["check_weights"] == 1
    finished.run(*ACCURACY)
    assert pd.read_csv(finished.folder / RUN / "accuracy.csv")["weights"].tolist()[0] == "replaced"
    assert finished.would_run(*ACCURACY) == {}


def test_what_unpacks_nothing_trains_nothing(finished):
    """Snakemake would plan everything anew after a job of `unpack`, and take the weights from what checkpoints keep."""
    for path in (finished.folder / "results").glob("**/checkpoints"):
        shutil.rmtree(path)
    os.utime(finished.folder / "source/videos.zip")
    assert "train" not in finished.would_run("--config", "dataset={classes: [Retreat, Approach, HandstandPushups]}")
    assert "unpack" not in finished.would_run()


def test_an_edit_of_code_asks_nothing(finished):
    with (finished.folder / "workflow_scripts/video3d/model/resnet3d.py").open("a") as file:
        file.write("\n\nNEW_CONSTANT = 1\n")
    assert finished.would_run()["train"] == 2


def test_the_kept_settings_are_those_that_made_the_accuracies(finished):
    kept = finished.folder / RUN / "config.yaml"
    before = kept.read_bytes()
    finished.run("export_lists", "--config", "report={note: another}", "seeds=[7, 8]")
    finished.fail("--config", "splits=[1, 2, 3]", "dataset={lists: [nowhere.zip]}")
    finished.would_run("--config", "evaluate={protocols: [sliding]}")
    assert kept.read_bytes() == before
    finished.run("--config", "evaluate={protocols: [sliding]}", *ACCURACY)
    assert yaml.safe_load(kept.read_text())["evaluate"]["protocols"] == ["sliding"]


def test_runs_with_other_classes_share_a_data_set_without_touching_each_other(finished):
    before = content(finished.folder)
    permuted = "--config", "run=two", "dataset={classes: [Retreat, Approach]}", "--", "results/two/accuracy.csv"
    finished.run(*permuted)
    assert changed(before, content(finished.folder)) == set()
    assert finished.would_run() == {} and finished.would_run(*permuted) == {}
    labels = {"Approach": 0, "Retreat": 1}  # the order of classInd.txt, whatever that of the settings
    table = pd.read_csv(finished.folder / "results/two/splits/split1.csv")
    rows = pd.read_csv(finished.folder / "results/two/split1/seed7/segments/predictions.csv")
    for found in (table, rows):
        assert dict(zip(found["class"], found["label"], strict=True)) == labels
    for file in ("weights.json", "model/metadata.json"):
        metadata = json.loads((finished.folder / "results/two/split1/seed7" / file).read_text())
        assert metadata["labels"] == list(labels)


def test_a_run_that_fails_takes_nothing_of_another_with_it(finished):
    before = content(finished.folder)
    finished.fail("--config", "run=failing", "validation_groups=[9]")
    assert changed(before, content(finished.folder)) == set()


def test_a_deleted_class_is_named_and_its_frames_are_kept(finished):
    shutil.rmtree(finished.folder / "data/tiny/videos/Retreat")
    before = content(finished.folder)
    text = finished.fail()
    assert "data/tiny/videos/Retreat holds no video" in text and "Traceback" not in text
    assert content(finished.folder) == before
    shutil.rmtree(finished.folder / "data/tiny/videos/.unpacked")
    assert finished.would_run() == {}  # videos are not missed while there are frames
    (finished.folder / "data/tiny/frames/24px_q80/Retreat.csv").unlink()
    finished.run("--", "data/tiny/frames/24px_q80/Retreat.csv")
    assert len(list((finished.folder / "data/tiny/videos/Retreat").iterdir())) == 4
