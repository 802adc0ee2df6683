import pytest
import yaml

from helpers.paths import PROJECT
from video3d.common.settings import resolve

SECTIONS = ("model", "clip", "train", "evaluate", "validation_groups")


def recipe(name):
    return resolve(yaml.safe_load((PROJECT / "recipes" / f"{name}.yaml").read_text())).model_dump()


def test_the_reference_recipe_is_the_default():
    defaults = resolve({}).model_dump()
    assert {name: recipe("reference")[name] for name in SECTIONS} == {name: defaults[name] for name in SECTIONS}
    written = resolve(yaml.safe_load((PROJECT / "config.yaml").read_text())).model_dump()
    assert {name: written[name] for name in SECTIONS} == {name: defaults[name] for name in SECTIONS}


def test_the_paper_recipe_shows_the_network_0_to_255_minus_activitynets_mean():
    clip = recipe("paper")["clip"]
    assert [mean * 255 for mean in clip["mean"]] == pytest.approx([114.7748, 107.7354, 99.4750], abs=1e-3)
    assert [std * 255 for std in clip["std"]] == pytest.approx([1, 1, 1], abs=1e-5)


def test_the_paper_recipe_is_the_papers():
    """Hara et al., CVPR 2018, section 3.2, and their code; the learning rate and the plateau are tested below."""
    settings = recipe("paper")
    assert (settings["model"]["depth"], settings["model"]["shortcut"]) == (18, "A")
    assert (settings["clip"]["frames"], settings["clip"]["size"]) == (16, 112)
    expected = {
        "sampling": "consecutive", "crop": "corners", "flip": 0.5, "batch_size": 128, "epochs": 200,
        "schedule": "plateau", "momentum": 0.9, "weight_decay": 0.001, "mixup": 0, "cutmix": 0, "label_smoothing": 0,
    }  # fmt: skip
    assert {name: settings["train"][name] for name in expected} == expected
    assert settings["evaluate"]["protocols"] == ["sliding"]


def test_the_modern_recipe_has_every_ingredient():
    train, plain = recipe("modern")["train"], recipe("reference")["train"]
    assert (train["schedule"], train["crop"], train["decay_norms_and_biases"]) == ("cosine", "random_resized", False)
    assert train["epochs"] > plain["epochs"]
    for name in ("warmup_epochs", "colour_jitter", "mixup", "cutmix", "label_smoothing", "ema_decay"):
        assert train[name] and not plain[name]
    assert recipe("modern")["model"]["dropout"] > recipe("reference")["model"]["dropout"] == 0


def test_the_paper_recipe_watches_groups_that_are_in_every_training_list():
    tested = {1: range(1, 8), 2: range(8, 15), 3: range(15, 22)}
    groups = recipe("paper")["validation_groups"]
    assert groups and not any(group in split for group in groups for split in tested.values())


def test_dampening_a_tenth_of_the_learning_rate():
    """With dampening 0.9 and a constant gradient of 1 the authors' step tends to 0.1; ours to 0.01 / (1 - 0.9)."""
    train = recipe("paper")["train"]
    theirs, buffer = 0.0, 1.0
    for _ in range(500):
        buffer = 0.9 * buffer + (1 - 0.9) * 1.0
        theirs = 0.1 * buffer
    ours = train["learning_rate"] / (1 - train["momentum"])
    assert ours == pytest.approx(theirs)
