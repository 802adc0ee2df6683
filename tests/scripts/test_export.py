"""export.py: what goes into the folder, and which weights are refused."""

import json
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

import export
from helpers.exported import CLASSES, CLIP, MODEL, random_network, write_weights
from helpers.script_call import call
from helpers.torch_writer import save_zip
from video3d.clips.spatial_crops import FIRST_RESIZING
from video3d.common.files import sha256
from video3d.evaluation.predictor import Predictor

PAPER = MODEL | {"depth": 18, "shortcut": "A"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "weights.pdparams")


def pytorch_tensors(network) -> dict[str, np.ndarray]:
    """The tensors of a network as the paper's authors name and lay them out."""
    renamed = {}
    for name, tensor in network.state_dict().items():
        values = tensor.numpy()
        name = name.replace("_variance", "running_var").replace("_mean", "running_mean")
        renamed[name] = np.ascontiguousarray(values.T) if name == "fc.weight" else values
    return renamed


def test_the_folder_describes_itself(weights, tmp_path):
    settings = json.dumps({"frames": {"short_side": 32, "quality": 80}})
    call(
        export.main, "--weights", weights, "--settings", settings, "--classes", *CLASSES, "--output", tmp_path / "model"
    )
    metadata = json.loads((tmp_path / "model/metadata.json").read_text())
    assert metadata["labels"] == CLASSES
    assert metadata["clip"] == CLIP
    assert metadata["model"] == MODEL
    assert metadata["frames"] == {"short_side": 32, "quality": 80}
    assert metadata["protocol"] == "segments"
    assert metadata["training"]["seed"] == 1
    assert metadata["weights"]["origin"] == "unchecked"
    assert metadata["weights"]["sha256"] == sha256(weights)
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == [
        "metadata.json", "model.json", "model.pdiparams",
    ]  # fmt: skip
    assert Predictor(tmp_path / "model", device="cpu").class_names == CLASSES


@pytest.mark.parametrize(
    ("facts", "resizing"), [({}, FIRST_RESIZING), ({"resizing": "triangle"}, "triangle"), (None, "triangle")]
)
def test_the_resizing_is_that_of_the_training(tmp_path, facts, resizing):
    """Trainings from before the weights told it had the first one; weights that tell nothing are from elsewhere."""
    weights = write_weights(tmp_path / "weights.pdparams", **(facts or {}))
    if facts is None:
        weights.with_suffix(".json").unlink()
    settings = json.dumps({"model": MODEL, "clip": CLIP})
    call(export.main, "--weights", weights, "--settings", settings, "--classes", *CLASSES, "--output", tmp_path / "m")
    assert json.loads((tmp_path / "m/metadata.json").read_text())["resizing"] == resizing


def test_protocol_fits_the_sampling_of_the_training(tmp_path):
    weights = write_weights(tmp_path / "weights.pdparams", train={"sampling": "consecutive"})
    call(export.main, "--weights", weights, "--output", tmp_path / "model")
    assert json.loads((tmp_path / "model/metadata.json").read_text())["protocol"] == "sliding"


@pytest.mark.parametrize("form", ["pth", "safetensors"])
def test_weights_of_pytorch_need_no_settings(tmp_path, form):
    """Network, classes and shapes are read from the file; 51 classes are those of a published one."""
    tensors = pytorch_tensors(random_network(PAPER, 51))
    if form == "pth":
        save_zip(tmp_path / "file.pth", {"state_dict": {f"module.{k}": v for k, v in tensors.items()}})
    else:
        save_file(tensors, tmp_path / "file.safetensors")
    names = [f"Action{label}" for label in range(51)]
    settings = '{"clip": {"frames": 4, "size": 16}}'
    arguments = ["--weights", tmp_path / f"file.{form}", "--settings", settings, "--classes", *names]
    result = call(export.main, *arguments, "--output", tmp_path / "model")
    assert result.returncode == 0, result.stderr
    metadata = json.loads((tmp_path / "model/metadata.json").read_text())
    assert metadata["model"] | {"dropout": 0.0} == PAPER
    assert metadata["clip"]["std"] == pytest.approx([1 / 255] * 3)
    assert metadata["clip"]["mean"] == pytest.approx([114.7748 / 255, 107.7354 / 255, 99.475 / 255])
    assert (metadata["protocol"], metadata["weights"]["made_by"]) == ("sliding", "PyTorch")


def test_unknown_normalisation_is_taken_from_the_settings_and_said(weights, tmp_path):
    copy = tmp_path / "bare.pdparams"
    copy.write_bytes(weights.read_bytes())
    settings = '{"clip": {"frames": 4, "size": 16, "mean": [0.1, 0.2, 0.3]}}'
    result = call(
        export.main, "--weights", copy, "--settings", settings, "--classes", *CLASSES, "--output", tmp_path / "model"
    )
    assert "clip: mean: [0.1, 0.2, 0.3], from the settings: the weights do not tell theirs" in result.stderr
    assert json.loads((tmp_path / "model/metadata.json").read_text())["clip"]["mean"] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["Archery", "Bowling", "Biking"], "label 1 is Biking, but Bowling is wanted"),
        (["Archery", "Biking"], "know 3 classes, but 2 are wanted"),
    ],
)
def test_other_classes_are_refused(weights, tmp_path, classes, message):
    result = call(export.main, "--weights", weights, "--classes", *classes, "--output", tmp_path / "model")
    assert result.returncode == 1
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_names_of_classes_are_asked_for(weights, tmp_path):
    copy = tmp_path / "bare.pdparams"
    copy.write_bytes(weights.read_bytes())
    result = call(export.main, "--weights", copy, "--output", tmp_path / "model")
    assert "know 3 classes but not their names; give them as --classes" in result.stderr
    assert not (tmp_path / "model").exists()


def test_two_classes_of_one_name_are_refused(weights, tmp_path):
    copy = tmp_path / "bare.pdparams"
    copy.write_bytes(weights.read_bytes())
    result = call(export.main, "--weights", copy, "--classes", "a", "b", "a", "--output", tmp_path / "model")
    assert (result.returncode, "error: labels: repeated items" in result.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["bare.pdparams"]


def test_malicious_pickle_is_refused(tmp_path):
    class Malice:
        def __reduce__(self):
            return open, (str(tmp_path / "created"), "w")

    (tmp_path / "weights.pdparams").write_bytes(pickle.dumps({"fc.bias": Malice()}))
    result = call(export.main, "--weights", tmp_path / "weights.pdparams", "--output", tmp_path / "model")
    assert result.returncode == 1
    assert "error:" in result.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["weights.pdparams"]


def test_missing_weights(tmp_path):
    result = call(export.main, "--weights", tmp_path / "none.pdparams", "--output", tmp_path / "model")
    assert f"error: there are no weights at {tmp_path}/none.pdparams" in result.stderr
