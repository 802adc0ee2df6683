"""The card of an exported model, against what the run left."""

import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.simulated import HOSTILE
from video3d.report import model_card
from video3d.report.content import Content, collect_content
from video3d.report.results import read_run


@pytest.fixture(scope="module")
def content(compared: Path) -> Content:
    """A run of five classes and three splits, of which one was evaluated with given weights."""
    return collect_content(read_run(compared.parent), [], compared.parent, compared / "none")


def card(folder: Path, split: int) -> str:
    return (folder.parent / f"split{split}/seed1/model/README.md").read_text()


def test_every_exported_model_has_one(compared: Path) -> None:
    models = [path.parent for path in compared.parent.glob("split*/seed*/model/metadata.json")]
    assert len(models) == 3 and all((model / "README.md").is_file() for model in models)


def test_scores_are_those_of_the_network_alone(compared: Path) -> None:
    row = pd.read_csv(compared.parent / "accuracy.csv").query("split == '3'").iloc[0]
    scores = f"| segments | {row['videos']} | {100 * row['top1']:.1f} % ("
    assert scores in card(compared, 3)
    predictions = pd.read_csv(compared.parent / "split3/seed1/segments/predictions.csv")
    for name, part in predictions.groupby("class"):
        assert f"| {name} | {len(part)} | {100 * part['correct'].mean():.1f} % |" in card(compared, 3)


def test_what_was_not_trained_here_has_neither_recipe_nor_cost_of_training(compared: Path) -> None:
    trained, given = card(compared, 1), card(compared, 2)
    assert "Trained in this run: batches of" in trained and "Training: 0.23 hours in 1 attempt(s)" in trained
    assert "The weights were not trained in this run." in given and "Training: " not in given
    assert "was evaluated with given weights" in given and "given weights" not in trained


def test_weights_that_know_their_test_videos_say_so_first(content: Content) -> None:
    origin = content.run.models[1, 1]["weights"]
    leak = origin | {"test_videos_trained_on": 5, "test_groups_trained_on": 2}
    content.run.models[1, 1]["weights"] = leak
    try:
        said = model_card.describe_model(content, (1, 1))
    finally:
        content.run.models[1, 1]["weights"] = origin
    assert said["notices"][0].startswith("NOT A TEST: the weights of split 1, seed 1")
    assert "trained on 5, of 9 groups (recordings) on 2" in said["training_data"]
    unknown = model_card.describe_leaks({"origin": "unchecked", "training_data_known": None})
    assert unknown == "What the weights were trained on is not known: the test videos may be among it."


def test_text_of_settings_is_text(hostile: Path) -> None:
    said = card(hostile, 1)
    assert not re.search("<(?!this folder>)", said)
    assert HOSTILE.split()[-1] in said
