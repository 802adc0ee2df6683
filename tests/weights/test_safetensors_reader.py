"""Safetensors that their own library wrote, of all types; headers that contradict their file."""

import struct

import numpy as np
import pytest
from safetensors import TensorSpec, serialize
from safetensors.numpy import save_file

from helpers.hostile_weights import safetensors
from video3d.common.errors import UserError
from video3d.weights.safetensors_reader import is_safetensors, read_safetensors

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
def test_every_type_of_numpy(tmp_path, dtype):
    tensors = {"b": np.arange(6).reshape(1, 2, 3).astype(dtype), "a": np.array(3).astype(dtype)}
    save_file(tensors, tmp_path / "w", {"format": "np"})
    assert is_safetensors(tmp_path / "w")
    found = read_safetensors(tmp_path / "w")
    assert found.keys() == tensors.keys()
    for name, expected in tensors.items():
        np.testing.assert_array_equal(found[name], expected)
        assert found[name].dtype == expected.dtype


@pytest.mark.parametrize(
    ("dtype", "bits", "expected"),
    [
        ("bfloat16", np.array([0x3F80, 0xC049], "u2"), [1, -3.140625]),
        ("float8_e4m3fn", np.array([0x38, 0xFE], "u1"), [1, -448]),
        ("float8_e5m2", np.array([0x3C, 0xC4], "u1"), [1, -4]),
    ],
)
def test_types_that_numpy_lacks(tmp_path, dtype, bits, expected):
    spec = TensorSpec(dtype=dtype, shape=(2, 1), data_ptr=bits.ctypes.data, data_len=bits.nbytes)
    (tmp_path / "w").write_bytes(serialize({"a": spec}))
    assert read_safetensors(tmp_path / "w")["a"].tolist() == [[value] for value in expected]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": F32 | {"dtype": "C64", "shape": [1]}}, "type 'C64', not one of F64, F32"),
        ({"a": F32 | {"shape": [3]}}, r"shape \[3\] has 8 bytes"),
        ({"a": F32 | {"shape": [10**4000]}}, r"shape \[10{100,180}…$"),
        ({"a": F32 | {"shape": [-1, -2]}}, "shape"),
        ({"a": F32 | {"data_offsets": [0, 8.0]}}, "no place"),
        ({"a": F32 | {"data_offsets": [-8, 0]}}, "one behind the other"),
        ({"a": F32, "b": F32}, "one behind the other"),
        ({"a": F32 | {"shape": [1], "data_offsets": [0, 4]}}, "8 bytes of numbers, but its header tells of 4"),
        ({"a": F32 | {"shape": [4], "data_offsets": [0, 16]}}, "8 bytes of numbers, but its header tells of 16"),
        ({"a\n": F32}, "cannot be printed"),
        ({"a": None}, "not subscriptable"),
        (b'{"a":', "Expecting value"),
        (b"{\xff}", "utf-8"),
    ],
)
def test_a_header_that_contradicts_its_file_is_refused(tmp_path, header, message):
    path = tmp_path / "w.safetensors"
    path.write_bytes(safetensors({"a": F32}, bytes(8)))
    assert read_safetensors(path)["a"].tolist() == [0, 0]
    path.write_bytes(safetensors(header, bytes(8)))
    with pytest.raises(UserError, match=rf"w\.safetensors is damaged.*{message}"):
        read_safetensors(path)


def test_a_header_longer_than_its_file_is_refused(tmp_path):
    (tmp_path / "w").write_bytes(struct.pack("<Q", 1000) + b"{}")
    with pytest.raises(UserError, match="ends too early"):
        read_safetensors(tmp_path / "w")
