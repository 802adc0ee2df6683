"""Weights: what is written is read again, byte for byte; what is forged or damaged is refused by name."""

import errno
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import paddle
import pytest

from helpers.dangerous_pickle import Command
from helpers.exported import description
from video3d.common.errors import UserError
from video3d.model.resnet3d import build_network
from video3d.weights.import_weights import load_any
from video3d.weights.paddle_reader import read_paddle
from video3d.weights.pdparams import apply_weights, save_weights
from video3d.weights.pickled import damage_named

TINY = {"depth": 10, "shortcut": "B", "width": 2}


@pytest.fixture
def network() -> paddle.nn.Layer:
    paddle.seed(1)
    return build_network(TINY, 3)


def values(network: paddle.nn.Layer) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def test_what_is_saved_is_loaded(tmp_path, network):
    save_weights(tmp_path / "new" / "weights.pdparams", network, description(TINY, classes=["a", "b", "ç"]))
    tensors, metadata = load_any(tmp_path / "new" / "weights.pdparams")
    assert tensors.keys() == network.state_dict().keys()
    assert all(np.array_equal(tensors[name], value) for name, value in values(network).items())
    assert metadata["labels"] == ["a", "b", "ç"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["weights.json", "weights.pdparams"]


def test_paddle_load_reads_the_file_too(tmp_path, network):
    save_weights(tmp_path / "weights.pdparams", network, description())
    other = build_network(TINY, 3)
    other.set_state_dict(paddle.load(str(tmp_path / "weights.pdparams")))
    assert all(np.array_equal(values(other)[name], value) for name, value in values(network).items())


def test_equal_tensors_give_equal_bytes(tmp_path, network):
    save_weights(tmp_path / "one.pdparams", network, description())
    other = build_network(TINY, 3)
    apply_weights(other, read_paddle(tmp_path / "one.pdparams"))
    save_weights(tmp_path / "two.pdparams", other, description())
    assert (tmp_path / "one.pdparams").read_bytes() == (tmp_path / "two.pdparams").read_bytes()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_files_of_paddle_save_are_read(tmp_path, network, protocol):
    path = tmp_path / "paddle.pdparams"
    paddle.save(network.state_dict(), str(path), protocol=protocol)
    tensors = read_paddle(path)
    assert all(np.array_equal(tensors[name], value) for name, value in values(network).items())
    assert tensors.keys() == network.state_dict().keys()


def test_big_endian_and_column_major_arrays_keep_their_values(tmp_path):
    arrays = {"big": np.arange(6, dtype=">f4").reshape(2, 3), "column": np.asfortranarray(np.arange(6.0).reshape(2, 3))}
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps(arrays, protocol=4))
    tensors = read_paddle(tmp_path / "w.pdparams")
    assert np.array_equal(tensors["big"], arrays["big"])
    assert np.array_equal(tensors["column"], arrays["column"])


def test_bfloat16_which_paddle_stores_as_whole_numbers_is_read_as_what_it_is(tmp_path, network):
    narrow = {name: tensor.astype("bfloat16") for name, tensor in network.state_dict().items()}
    paddle.save(narrow, str(tmp_path / "weights.pdparams"))
    read = read_paddle(tmp_path / "weights.pdparams")
    assert all(np.array_equal(read[name], tensor.astype("float32").numpy()) for name, tensor in narrow.items())


def test_description_of_replaced_weights_is_ignored(tmp_path, network):
    save_weights(tmp_path / "weights.pdparams", network, description())
    paddle.save(build_network(TINY, 3).state_dict(), str(tmp_path / "weights.pdparams"))
    assert "labels" not in load_any(tmp_path / "weights.pdparams")[1]


def test_a_pickle_that_would_run_a_program_is_refused(tmp_path):
    path, trace = tmp_path / "evil.pdparams", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"conv1.weight": Command(trace)}, protocol=4))
    with pytest.raises(UserError, match=r"evil\.pdparams.*(posix|nt)\.system"):
        read_paddle(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())
    assert trace.exists()  # the trap is one


def test_an_array_of_pointers_is_refused(tmp_path):
    path = tmp_path / "objects.pdparams"
    path.write_bytes(pickle.dumps({"conv1.weight": np.array([{}, None])}, protocol=4))
    with pytest.raises(UserError, match=r"objects\.pdparams.*'O8' holds no numbers"):
        read_paddle(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged or no file of weights"),
        (b"<!DOCTYPE html><html>", "damaged or no file of weights"),
        (pickle.dumps({"a": np.zeros(1000, "f4")}, protocol=4)[:-500], "damaged or no file of weights"),
        (pickle.dumps([1, 2]), "holds no weights by name, but list"),
        (pickle.dumps({}), "holds no weights by name, but nothing"),
        (pickle.dumps({"epoch": 3}), "holds no weights by name, but epoch"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.", "damaged or no file of weights"),
    ],
)
def test_what_is_no_weights_file_is_named(tmp_path, content, message):
    path = tmp_path / "broken.pdparams"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_paddle(path)
    assert "broken.pdparams" in str(error.value)


@pytest.mark.parametrize(("name", "protocol"), [("state_dict", 2), ("model", 3), ("model", 4), ("model_state_dict", 4)])
def test_a_checkpoint_of_paddle_save_is_read(tmp_path, network, name, protocol):
    path = tmp_path / "checkpoint.pdparams"
    optimizer = paddle.optimizer.Momentum(parameters=network.parameters())
    content = {"epoch": 3, name: network.state_dict(), "optimizer": optimizer.state_dict()}
    paddle.save(content, str(path), protocol=protocol)
    tensors = read_paddle(path)
    assert tensors.keys() == network.state_dict().keys()
    assert all(np.array_equal(tensors[name], value) for name, value in values(network).items())


def test_a_number_as_key_beside_a_state_dict_is_refused(tmp_path, network):
    path = tmp_path / "checkpoint.pdparams"
    path.write_bytes(pickle.dumps({"model": values(network), 7: 1}, protocol=4))
    with pytest.raises(UserError, match="a key that is not text, but int, 7; save the network's state dict alone"):
        read_paddle(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path, network, value):
    weights = network.conv1.weight.numpy()
    weights[1, 0, 0, 0, 0] = value
    network.conv1.weight.set_value(weights)
    save_weights(tmp_path / "weights.pdparams", network, description(TINY))
    with pytest.raises(UserError, match=r"weights\.pdparams holds infinite values or no numbers .* in conv1\.weight: "):
        load_any(tmp_path / "weights.pdparams")


def test_a_disk_that_fails_is_not_called_damage(tmp_path):
    with pytest.raises(UserError, match=r"w cannot be read: Input/output error$"), damage_named(Path("w")):
        raise OSError(errno.EIO, "Input/output error")
    with pytest.raises(AssertionError), damage_named(Path("w")):
        raise AssertionError  # a mistake of this project


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(UserError, match="cannot be used: File name too long; give another path") as error:
        load_any("a" * 300)
    assert len(str(error.value)) < 300


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no weights at .*nowhere\.pdparams"):
        load_any(tmp_path / "nowhere.pdparams")


def test_a_damaged_description_is_named(tmp_path, network):
    save_weights(tmp_path / "weights.pdparams", network, description())
    (tmp_path / "weights.json").write_text(json.dumps([]))
    with pytest.raises(UserError, match=r"weights\.json"):
        load_any(tmp_path / "weights.pdparams")


def test_a_failed_save_leaves_what_was_there(tmp_path, network):
    save_weights(tmp_path / "weights.pdparams", network, {"seed": 1})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TypeError):
        save_weights(tmp_path / "weights.pdparams", network, {"seed": object()})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_every_name_that_does_not_fit_is_listed_and_nothing_changes(network):
    tensors = values(build_network(TINY, 3))
    tensors["layer9.weight"] = tensors.pop("conv1.weight")
    tensors["bn1.bias"] = np.zeros(5, "f4")
    before = values(network)
    with pytest.raises(UserError) as error:
        apply_weights(network, tensors, source="foreign.pth")
    for part in ("foreign.pth", "missing: conv1.weight", "unexpected: layer9.weight", "bn1.bias (5, not 2)"):
        assert part in str(error.value)
    assert all(np.array_equal(values(network)[name], value) for name, value in before.items())


def test_a_new_head_is_allowed_only_on_request(network):
    tensors = values(build_network(TINY, 7))
    with pytest.raises(UserError, match=r"fc\.weight \(16×7, not 16×3\)"):
        apply_weights(network, tensors)
    head = network.fc.weight.numpy()
    headless = {name: value for name, value in tensors.items() if not name.startswith("fc.")}
    for given in (tensors, headless, values(build_network(TINY, 3))):
        apply_weights(network, given, new_head=True)
        assert np.array_equal(network.fc.weight.numpy(), head)
        assert np.array_equal(network.conv1.weight.numpy(), given["conv1.weight"])
    with pytest.raises(UserError, match=r"missing: bn1\.bias\. "):
        apply_weights(network, {name: value for name, value in headless.items() if name != "bn1.bias"}, new_head=True)
