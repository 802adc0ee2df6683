"""All runs beside each other, against values worked out by hand."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

import overview as script
from helpers.script_call import call
from helpers.simulated import simulate
from video3d.common.errors import UserError
from video3d.evaluation.intervals import paired_difference
from video3d.preflight.compared_runs import version_of_runs
from video3d.report import overview

SMALL = {"seeds": (1,), "splits": (1, 2), "protocols": ("segments",)}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    """results/ with two finished runs of five classes, one of which has given weights in split 2."""
    folder = tmp_path_factory.mktemp("overview")
    simulate(folder, run="a", classes=5, **SMALL)
    run = simulate(folder, run="b", classes=5, skill=-0.1, given_weights={2: "given.pdparams"}, **SMALL)
    weights = run / "split1/seed1/weights.json"
    content = json.loads(weights.read_text())
    content["train"] |= {"epochs": 9}
    content["attempts"] = [{"seconds": 1800, "device": "gpu"}, {"seconds": 900, "device": "gpu"}]
    weights.write_text(json.dumps(content))
    return folder / "results"


@pytest.fixture
def results(simulated: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed at will."""
    return shutil.copytree(simulated, tmp_path / "results")


def test_a_row_for_each_run_and_protocol(results):
    table = overview.table_of_runs(overview.read_runs(results).runs).set_index("run")
    accuracy = pd.read_csv(results / "a/accuracy.csv").query("split == 'mean'").iloc[0]
    for column, source in {"top1": "top1", "low": "top1_low", "high": "top1_high", "videos": "videos"}.items():
        assert table.loc["a", column] == accuracy[source]
    assert table[["data_set", "classes", "splits", "weights"]].values.tolist() == [
        ["simulated", 5, "1, 2", "trained"], ["simulated", 5, "1, 2", "trained, given"],
    ]  # fmt: skip


def test_settings_are_those_that_trainings_recorded_not_those_of_config_yaml(results):
    """Run b says 25 epochs in its config.yaml, and its training 9; split 2 was not trained, which says nothing."""
    table = overview.table_of_settings(overview.read_runs(results).runs).set_index("setting")
    assert table.to_dict("index") == {
        "evaluate.weights": {"a": "–", "b": "2: given.pdparams"},
        "train.epochs": {"a": "25", "b": "9"},
    }
    assert yaml.safe_load((results / "b/config.yaml").read_text())["train"]["epochs"] == 25


def test_settings_of_training_are_absent_where_nothing_was_trained(tmp_path):
    given = {1: "given.pdparams", 2: "given.pdparams"}
    simulate(tmp_path, run="a", classes=3, **SMALL)
    simulate(tmp_path, run="b", classes=3, given_weights=given, **SMALL)
    runs = overview.read_runs(tmp_path / "results").runs
    trained, untrained = map(overview.recorded_settings, runs)
    assert trained["train.epochs"] == "25" and trained["train.fast_cpu"] == "true"
    assert not any(name.startswith("train.") for name in untrained)
    assert overview.table_of_settings(runs)["setting"].tolist() == ["evaluate.weights"]


def test_warnings_name_all_runs_that_they_are_about(results):
    path = results / "b/split1/seed1/model/metadata.json"
    content = json.loads(path.read_text())
    content["weights"] |= {"test_videos_trained_on": 5, "test_groups_trained_on": 2}
    path.write_text(json.dumps(content))
    leak, note = sorted(overview.collect_warnings(overview.read_runs(results).runs), reverse=True)
    assert note.startswith("a, b: SIMULATED") and leak.startswith("b: NOT A TEST: the weights of split 1, seed 1")


def test_costs_are_those_that_were_noted(results):
    table = overview.table_of_costs(overview.read_runs(results).runs).set_index("run")
    # a: two trainings of 820 s and two evaluations of 50 s on a GPU; b: one training of 1800 and 900 s.
    assert table[["networks", "trained_here"]].values.tolist() == [[2, 2], [2, 1]]
    assert table["training_hours"].tolist() == pytest.approx([1640 / 3600, 2700 / 3600])
    assert table["evaluation_hours"].tolist() == pytest.approx([100 / 3600, 100 / 3600])
    assert table["gpu_hours"].tolist() == pytest.approx([1740 / 3600, 2800 / 3600])


def test_times_that_nobody_noted_are_not_zero(results):
    weights = results / "b/split1/seed1/weights.json"
    content = json.loads(weights.read_text())
    del content["attempts"]
    weights.write_text(json.dumps(content))
    table = overview.table_of_costs(overview.read_runs(results).runs).set_index("run")
    assert pd.isna(table.loc["b", "training_hours"])


def test_paired_differences_by_hand(results):
    differences, warnings, skipped = overview.compare_pairs(overview.read_runs(results).runs)
    answers = {}
    for run in "ab":
        tables = [pd.read_csv(results / run / f"split{split}/seed1/segments/predictions.csv") for split in (1, 2)]
        answers[run] = pd.concat(tables).set_index("video")
    pairs = answers["a"]["correct"] - answers["b"]["correct"]
    (row,) = differences.to_dict("records")
    assert (row["run"], row["other_run"], row["videos"]) == ("a", "b", len(pairs))
    assert row["difference"] == pytest.approx(pairs.mean())
    groups = answers["a"].groupby(["class", "group"]).ngroup()
    expected = paired_difference(pairs.to_numpy(), groups.to_numpy())
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert warnings == skipped == []


def test_runs_of_other_classes_are_not_compared_and_that_is_said_once(results):
    simulate(results.parent, run="c", classes=3, **SMALL)
    simulate(results.parent, run="d", classes=5, **SMALL | {"splits": (3,)})
    differences, _, skipped = overview.compare_pairs(overview.read_runs(results).runs)
    assert differences[["run", "other_run"]].values.tolist() == [["a", "b"]]
    assert skipped == [
        "Not compared, they tell other classes apart: a with c; b with c; c with d.",
        "Not compared, no protocol and test video in common: a with d; b with d.",
    ]


def test_what_has_no_numbers_is_named_with_the_reason(results):
    (results / "begun/split1/seed1/checkpoints").mkdir(parents=True)
    shutil.copytree(results / "a/split1", results / "half/split1")
    (results / "b/config.yaml").unlink()
    found = overview.read_runs(results)
    assert [run.name for run in found.runs] == ["a"]
    assert found.without_numbers["begun"] == (
        "not finished: it has no accuracy.csv; trainings finished: 0, begun: 1; evaluations finished: 0"
    )
    assert "trainings finished: 1, begun: 0; evaluations finished: 1" in found.without_numbers["half"]
    assert found.without_numbers["b"].startswith(f"cannot be read: {results}/b/config.yaml does not exist")
    table = overview.one_table(found).set_index("run")
    assert table.loc[["b", "begun", "half"], "top1"].isna().all()
    assert table["status"].tolist()[0] == "finished"


@pytest.mark.parametrize("damage", ["other answers", "no mean", "no number", "another seed", "a row twice"])
def test_accuracies_of_other_predictions_are_not_reported(results, damage):
    path = results / "a/accuracy.csv"
    table = pd.read_csv(path)
    if damage == "other answers":
        predictions = results / "a/split1/seed1/segments/predictions.csv"
        answers = pd.read_csv(predictions)
        answers.assign(correct=1 - answers["correct"]).to_csv(predictions, index=False)
    changed = {
        "no mean": table[table["split"] != "mean"],
        "no number": table.astype({"top1": object}).replace({"top1": {table["top1"][0]: "x"}}),
        "a row twice": pd.concat([table, table[:1]]),
        "another seed": table.replace({"seed": {"1": "2"}}),
    }
    changed.get(damage, table).to_csv(path, index=False)
    found = overview.read_runs(results)
    assert [run.name for run in found.runs] == ["b"]
    assert "accuracy.csv is not of the predictions beside it" in found.without_numbers["a"]


def test_a_folder_without_runs_is_an_error(tmp_path):
    with pytest.raises(UserError, match="there is no run in"):
        overview.read_runs(tmp_path / "results")


def test_page_and_table(results, capsys):
    (results / "begun").mkdir()
    page, table = results / "overview.html", results / "overview.csv"
    called = call(script.main, results, "--page", page, "--table", table)
    assert called.returncode == 0, called.stderr
    said = capsys.readouterr().out
    assert said.splitlines()[1].split()[:2] == ["a", "simulated"] and "begun: not finished" in said
    rows = pd.read_csv(table)
    assert rows["run"].tolist() == ["a", "b", "begun"]
    assert rows["train.epochs"].tolist()[:2] == [25, 9]
    text = page.read_text()
    assert "2 finished runs, 1 without numbers." in text and "<dt>begun</dt>" in text
    assert "SIMULATED" in text and "Paired differences" in text


def test_it_is_stale_when_a_run_is_not_what_it_was(results):
    known = [version_of_runs(results)]
    (results / "overview.csv").write_text("x")
    assert version_of_runs(results) == known[0]
    for name in ("new/split1/seed1/checkpoints", "a/figures"):
        (results / name).mkdir(parents=True)
        known.append(version_of_runs(results))
    for name in ("a/config.yaml", "a/accuracy.csv", "b/split1/seed1/weights.json", "b/split1/seed1/history.csv",
                 "b/split1/seed1/model/metadata.json", "b/split2/seed1/segments/predictions.csv"):  # fmt: skip
        (results / name).write_text("other")
        known.append(version_of_runs(results))
    assert len(set(known)) == len(known)
