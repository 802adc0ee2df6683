"""Weights from elsewhere, in every published layout: read, named, attributed; never executed."""

import hashlib
import math
import pickle
import shutil
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import paddle
import pytest
from safetensors.numpy import save_file

from helpers.dangerous_pickle import Command
from helpers.exported import description
from helpers.golden_weights import golden_tensor
from helpers.torch_writer import save_legacy, save_zip
from video3d.common.errors import UserError
from video3d.common.settings import ClipSettings, ModelSettings, resolve
from video3d.model.resnet3d import build_network
from video3d.training.start import load_start
from video3d.weights.import_weights import (
    ACTIVITYNET,
    IMAGENET,
    KINETICS,
    check_settings,
    identify_network,
    load_any,
    paddle_tensors,
)
from video3d.weights.pdparams import apply_weights, save_weights

FIXTURES = Path(__file__).parent / "torch_files"
TINY = {"depth": 10, "shortcut": "A", "width": 1, "cardinality": 1}


def published_tensors(model: dict, classes: int, counter: bool = False, prefix: str = "") -> OrderedDict:
    """A state dict as PyTorch names it, of a network as narrow as `model` says, filled by the golden formula."""
    network = build_network(model, classes)
    state = OrderedDict()
    for name, tensor in network.state_dict().items():
        name = name.replace("_mean", "running_mean").replace("_variance", "running_var")
        shape = tensor.shape[::-1] if name == "fc.weight" else tensor.shape
        state[prefix + name] = golden_tensor(name, shape)
        if counter and name.endswith("running_var"):
            state[prefix + name.replace("running_var", "num_batches_tracked")] = np.array(7, "i8")
    return state


def checksum(path: Path) -> dict[str, str]:
    """What the metadata say about the file itself."""
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def assert_same_network(tensors: dict, published: dict, model: dict, classes: int) -> None:
    """The tensors fit our network, and hold the published values."""
    apply_weights(build_network(model, classes), tensors)
    for name, values in tensors.items():
        key = name.replace("_mean", "running_mean").replace("_variance", "running_var")
        expected = published.get(key, published.get(f"module.{key}"))
        np.testing.assert_array_equal(values, expected.T if name == "fc.weight" else expected)


@pytest.mark.parametrize("entry", ["reference", "resnet-18-A", "resnet-18-B", "resnet-50-B", "resnext-101-32-B"])
def test_every_published_name_and_shape_is_accounted_for(golden, entry):
    published = {
        name: np.broadcast_to(np.float32(0), shape)  # one number, however large the tensor
        for name, shape in golden[entry]["shapes"].items()
    }
    tensors = paddle_tensors(published, entry)
    found = identify_network(tensors, entry)
    expected = {
        "reference": (18, "reference", 1),
        "resnet-18-A": (18, "A", 1),
        "resnet-18-B": (18, "B", 1),
        "resnet-50-B": (50, "B", 1),
        "resnext-101-32-B": (101, "B", 32),
    }[entry]
    assert (found["model"]["depth"], found["model"]["shortcut"], found["model"]["cardinality"]) == expected
    assert (found["model"]["width"], found["num_classes"]) == (64, 101)
    assert (
        sum(math.prod(values.shape) for name, values in tensors.items() if name[-5:] not in ("_mean", "iance"))
        == (golden[entry]["trainable_parameters"])
    )


def test_a_file_of_2018(tmp_path):
    """As resnet-18-kinetics.pth: several pickles, CUDA storages, type A, prefix, an optimizer, 400 classes."""
    published = published_tensors(TINY, 400, prefix="module.")
    optimizer = {"state": {}, "param_groups": [{"lr": 0.1, "momentum": 0.9, "dampening": 0.9, "params": [1, 2]}]}
    content = {"epoch": 200, "arch": "resnet-18", "state_dict": published, "optimizer": optimizer}
    save_legacy(tmp_path / "w.pth", content, device="cuda:0", old=True)
    tensors, metadata = load_any(tmp_path / "w.pth")
    assert_same_network(tensors, published, TINY, 400)
    expected = {"source": "PyTorch", "model": TINY, "num_classes": 400, "clip": ACTIVITYNET}
    assert metadata == expected | checksum(tmp_path / "w.pth")


@pytest.mark.parametrize("save", [save_zip, save_legacy])
def test_a_file_of_2020(tmp_path, save):
    """As r3d18_K_200ep.pth: type B, no prefix, counters of batches, 700 classes."""
    model = TINY | {"shortcut": "B"}
    published = published_tensors(model, 700, counter=True)
    save(tmp_path / "w.pth", {"epoch": 200, "arch": "resnet-18", "state_dict": published}, device="cuda:0")
    tensors, metadata = load_any(tmp_path / "w.pth")
    assert_same_network(tensors, published, model, 700)
    expected = {"source": "PyTorch", "model": model, "num_classes": 700, "clip": KINETICS}
    assert metadata == expected | checksum(tmp_path / "w.pth")


def test_a_fine_tuned_resnext(tmp_path):
    """As resnext-101-kinetics-ucf101_split1.pth, made narrower."""
    model = {"depth": 50, "shortcut": "B", "width": 2, "cardinality": 4}
    published = published_tensors(model, 101, prefix="module.")
    save_zip(tmp_path / "w.pth", {"state_dict": published})
    tensors, metadata = load_any(tmp_path / "w.pth")
    assert_same_network(tensors, published, model, 101)
    assert (metadata["model"], metadata["clip"]) == (model, ACTIVITYNET)


@pytest.mark.parametrize("layout", ["zip", "legacy"])
def test_files_that_pytorch_wrote(layout):
    """Written by PyTorch 2.13: a checkpoint with optimizer in the one, a bare state dict in the other layout."""
    model = TINY | {"shortcut": "B" if layout == "zip" else "A"}
    published = published_tensors(model, 3, counter=True)
    tensors, metadata = load_any(FIXTURES / f"{layout}.pth")
    assert_same_network(tensors, published, model, 3)
    assert metadata == {"source": "PyTorch", "model": model, "num_classes": 3} | checksum(FIXTURES / f"{layout}.pth")


def test_half_precision_becomes_single(tmp_path):
    published = {name: values.astype("f2") for name, values in published_tensors(TINY, 3).items()}
    save_zip(tmp_path / "w.pth", published)
    network = build_network(TINY, 3)
    apply_weights(network, load_any(tmp_path / "w.pth")[0])
    assert network.conv1.weight.dtype == paddle.float32
    np.testing.assert_array_equal(network.conv1.weight.numpy(), published["conv1.weight"].astype("f4"))


def reference_name(name: str) -> str:
    if name.startswith("fc."):
        return f"head.{name}"
    if not name.startswith("layer"):
        return f"backbone.stem.0.{name.replace('1.', '.', 1)}"
    for ours, theirs in (("conv1", "block.0.conv"), ("bn1", "block.0.bn"), ("conv2", "block.1"), ("bn2", "block.2")):
        name = name.replace(f".{ours}.", f".{theirs}.")
    return f"backbone.{name}"


def test_a_file_of_the_reference_implementation(tmp_path, golden):
    model = {"depth": 18, "shortcut": "reference", "width": 1, "cardinality": 1}
    state = build_network(model, 3).state_dict()
    renamed = {reference_name(name): tensor for name, tensor in state.items()}
    assert renamed.keys() == golden["reference"]["shapes"].keys()
    paddle.save(renamed, str(tmp_path / "best.pdparams"))
    tensors, metadata = load_any(tmp_path / "best.pdparams")
    assert tensors.keys() == state.keys()
    assert all(np.array_equal(tensors[name], tensor.numpy()) for name, tensor in state.items())
    expected = {"source": "reference implementation", "model": model, "num_classes": 3, "clip": IMAGENET}
    assert metadata == expected | checksum(tmp_path / "best.pdparams")


def test_our_own_file_keeps_its_metadata(tmp_path):
    network = build_network(TINY, 3)
    own = description(TINY | {"dropout": 0.5}, {"frames": 8, "size": 16} | KINETICS)
    save_weights(tmp_path / "weights.pdparams", network, own)
    tensors, metadata = load_any(tmp_path / "weights.pdparams")
    assert tensors.keys() == network.state_dict().keys()
    assert metadata.items() >= own.items()
    assert metadata["num_classes"] == 3


@pytest.mark.parametrize("torch_names", [True, False])
def test_safetensors(tmp_path, torch_names):
    published = published_tensors(TINY, 400)
    stored = published if torch_names else paddle_tensors(published, "")
    save_file({name: np.ascontiguousarray(values) for name, values in stored.items()}, tmp_path / "w.safetensors")
    tensors, metadata = load_any(tmp_path / "w.safetensors")
    assert_same_network(tensors, published, TINY, 400)
    assert metadata.get("clip") == (ACTIVITYNET if torch_names else None)


@pytest.mark.parametrize("save", [save_zip, save_legacy, lambda path, content: path.write_bytes(pickle.dumps(content))])
def test_a_file_that_would_run_a_program_is_refused(tmp_path, save):
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    save(path, {"epoch": Command(trace), "state_dict": {}})
    with pytest.raises(UserError, match=r"evil\.pth is refused: it asks to load (posix|nt)\.system"):
        load_any(path)
    assert not trace.exists()


def test_a_view_beyond_its_data_is_refused(tmp_path):
    """A forged tensor would read memory that is not its own."""
    save_zip(tmp_path / "good.pth", published_tensors(TINY, 3))
    with zipfile.ZipFile(tmp_path / "good.pth") as good, zipfile.ZipFile(tmp_path / "bad.pth", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name.endswith("data.pkl"):
                first = b"QK\x00("  # behind the reference to the first storage: its tensor begins at number 0
                assert first in content
                content = content.replace(first, b"QK\xc8(", 1)
            bad.writestr(name, content)
    with pytest.raises(UserError, match=r"bad\.pth is damaged.*strides"):
        load_any(tmp_path / "bad.pth")


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize("keep", [0.01, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("layout", ["zip.pth", "legacy.pth", "w.safetensors"])
def test_a_file_that_ends_too_early_is_named(tmp_path, layout, keep):
    path = tmp_path / layout
    if layout == "w.safetensors":
        save_file({name: np.ascontiguousarray(v) for name, v in published_tensors(TINY, 3).items()}, path)
    else:
        shutil.copy(FIXTURES / layout, path)
    cut(path, keep)
    with pytest.raises(UserError, match=layout):
        load_any(path)


def test_files_of_no_weights_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "videos.zip", "w") as archive:
        archive.writestr("v_Punch_g01_c01.avi", b"RIFF")
    (tmp_path / "page.pth").write_text("<!DOCTYPE html><html>quota exceeded</html>")
    save_zip(tmp_path / "optimizer.pth", {"state_dict": {"lr": 0.1}})
    for name, message in (
        ("videos.zip", "not of PyTorch weights"),
        ("page.pth", "damaged or no file of weights"),
        ("optimizer.pth", "neither a state dict nor"),
        ("nowhere.pth", "no weights at"),
    ):
        with pytest.raises(UserError, match=message) as error:
            load_any(tmp_path / name)
        assert name in str(error.value)


def test_other_networks_are_named(tmp_path):
    published = published_tensors(TINY, 3)
    stranger = {"features.0.weight": published["conv1.weight"], "features.0.running_mean": np.zeros(1, "f4")}
    extra = published | {"layer1.0.attention.weight": np.zeros(3, "f4")}
    wide = published | {"layer3.0.bn2.weight": np.zeros(9, "f4")}
    backbone = {f"backbone.{name}": values for name, values in published.items()}
    for content, message in (
        (stranger, "no network of this project; its first tensors: features.0.weight"),
        (extra, "unexpected: layer1.0.attention.weight"),
        (wide, r"layer3\.0\.bn2\.weight \(9, not 4\)"),
        (backbone, "backbone.conv1.weight, which the reference implementation"),
    ):
        save_zip(tmp_path / "other.pth", content)
        with pytest.raises(UserError, match=message):
            load_any(tmp_path / "other.pth")


def test_settings_that_contradict_the_weights_are_answered_with_the_right_ones(caplog):
    known = {"model": TINY, "num_classes": 400, "clip": ACTIVITYNET}
    paper = ClipSettings(mean=[0.450097, 0.422492, 0.390098], std=[0.003922] * 3)
    check_settings("w.pth", known, ModelSettings(**TINY, dropout=0.5), paper)
    with pytest.raises(UserError) as error:
        check_settings("w.pth", known, ModelSettings(**TINY | {"shortcut": "B"}), ClipSettings(**IMAGENET))
    assert '"shortcut": "A"' in str(error.value)
    assert "[0.450097, 0.422492, 0.390098]" in str(error.value)
    check_settings("w.pth", {"model": TINY, "num_classes": 3}, ModelSettings(**TINY), paper)
    assert "w.pth does not tell its input's normalisation" in caplog.text


def test_weights_that_saw_another_kind_of_input_are_refused():
    model, difference = ModelSettings(**TINY), ClipSettings(input="difference")
    known = {"model": TINY, "num_classes": 3, "clip": difference.model_dump()}
    with pytest.raises(UserError, match='"input": "difference"'):
        check_settings("w.pdparams", known, model, ClipSettings())
    check_settings("w.pdparams", known, model, difference)


def test_training_starts_from_published_weights_with_a_new_classifier():
    model = TINY | {"shortcut": "B"}
    settings = resolve({"model": model, "clip": KINETICS, "train": {"weights": str(FIXTURES / "zip.pth")}})
    network = build_network(model, 5)
    classifier = network.fc.weight.numpy()
    load_start(network, settings, list("abcde"))
    np.testing.assert_array_equal(network.conv1.weight.numpy(), golden_tensor("conv1.weight", [1, 3, 7, 7, 7]))
    np.testing.assert_array_equal(network.fc.weight.numpy(), classifier)
    with pytest.raises(UserError, match=r'zip\.pth is of another network[\s\S]*"depth": 10, "shortcut": "B"'):
        load_start(network, settings.model_copy(update={"model": ModelSettings(**TINY)}), list("abcde"))


def test_a_classifier_is_taken_over_if_it_is_known_to_be_of_the_same_classes(tmp_path):
    settings = resolve({"model": TINY, "train": {"weights": str(tmp_path / "own.pdparams")}})
    trained = build_network(TINY, 2)
    own = description(TINY, settings.clip.model_dump(), ["Punch", "YoYo"])
    save_weights(tmp_path / "own.pdparams", trained, own)
    taken = []
    for classes in (["Punch", "YoYo"], ["YoYo", "Punch"], ["Punch", "YoYo", "Bowling"]):
        network = build_network(TINY, len(classes))
        load_start(network, settings, classes)
        taken.append(np.array_equal(network.fc.weight.numpy(), trained.fc.weight.numpy()))
    assert taken == [True, False, False]


def test_weights_without_a_classifier_are_a_start(tmp_path):
    published = published_tensors(TINY, 3)
    del published["fc.weight"], published["fc.bias"]
    save_zip(tmp_path / "w.pth", published)
    tensors, known = load_any(tmp_path / "w.pth")
    assert (known["model"], known["num_classes"]) == (TINY, None)
    settings = resolve({"model": TINY, "train": {"weights": str(tmp_path / "w.pth")}})
    network = build_network(TINY, 5)
    load_start(network, settings, list("abcde"))
    np.testing.assert_array_equal(network.conv1.weight.numpy(), tensors["conv1.weight"])
    del published["conv1.weight"]
    save_zip(tmp_path / "w.pth", published)
    with pytest.raises(UserError, match=r"no network of this project; .*; missing: conv1\.weight"):
        load_any(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("module.fc.bias", np.zeros(3, "f4"), "two tensors for fc.bias"),
        ("bn1._mean", np.zeros(1, "f4"), "two tensors for bn1._mean"),
        ("bn1.weight", np.ones(1, "i8"), "bn1.weight holds no floating-point numbers"),
        ("layer1.0.num_batches_tracked", np.zeros((9, 9), "f4"), "does not fit"),
    ],
)
def test_every_tensor_counts_once_and_holds_fractions(tmp_path, name, values, words):
    save_file(published_tensors(TINY, 3) | {name: values}, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=words):
        load_any(tmp_path / "w.safetensors")


def test_a_name_that_comes_twice_in_a_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(published_tensors(TINY, 3), path)
    path.write_bytes(
        path.read_bytes().replace(b'"bn1.weight"', b'"fc.weight" ', 1).replace(b'"fc.weight" :', b'"fc.weight": ', 1)
    )
    with pytest.raises(UserError, match="a key comes twice"):
        load_any(path)
