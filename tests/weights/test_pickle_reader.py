"""Pickles of all writers come out as they went in; an instruction or a name that no writer needs ends the reading."""

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from helpers.hostile_weights import array, state_dict, text
from video3d.common.errors import UserError
from video3d.weights.paddle_reader import ALLOWED_GLOBALS, read_paddle
from video3d.weights.pickle_reader import read_pickle
from video3d.weights.pickled import Run, Table

OF_PYTHON_2 = (  # pickle.dumps(collections.OrderedDict([("a", np.array([1.5, -2], "f4"))]), 2) of Python 2.7, cPickle
    b"\x80\x02ccollections\nOrderedDict\nq\x01]q\x02]q\x03(U\x01aq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05"
    b"cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01K\x02\x85cnumpy\ndtype\nq\x08U\x02f4K\x00K\x01\x87Rq\t(K\x03"
    b"U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08\x00\x00\xc0?\x00\x00\x00\xc0tbea\x85Rq\n."
)


def plain(value: object) -> object:
    """The value with dicts and long texts as Python has them."""
    if isinstance(value, Table):
        return {key: plain(item) for key, item in value.pairs}
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value))
    return value.content.tobytes() if isinstance(value, Run) else value


def read(pickled: bytes) -> object:
    return plain(read_pickle(io.BytesIO(pickled), Path("w"), ALLOWED_GLOBALS))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_values_come_out_as_they_went_in(protocol):
    shared = ("a", "b")
    value = {
        "numbers": [0, 1, 255, 256, 65535, 65536, -1, 2**31, -(2**63), 1e-300, float("inf"), True, False, None],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), shared, shared],
        "texts": ["", "größe", "a" * 255],
        "nested": {"more": {}, 7: [[], [1], list(range(3000))]},
        "many": {str(number): number for number in range(3000)},
        "ordered": OrderedDict(a=1, b=2),
    }
    assert read(pickle.dumps(value, protocol)) == value
    long = {"text": "ÿ" * 300, "bytes": bytes(range(256)) * 2}
    assert read(pickle.dumps(long, protocol)) == {"text": b"\xff" * 300, "bytes": bytes(range(256)) * 2}


def test_pickles_of_python_2(tmp_path):
    (tmp_path / "w.pdparams").write_bytes(OF_PYTHON_2)
    assert read_paddle(tmp_path / "w.pdparams")["a"].tolist() == [1.5, -2.0]


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f4", "f8", "i1", "u4", ">i8", "?"])
def test_arrays_of_every_type_and_layout(tmp_path, protocol, dtype):
    values = np.arange(600).reshape(20, 30).astype(dtype)
    arrays = {"rows": values, "columns": np.asfortranarray(values), "part": values[::2, ::3], "scalar": values[3, 4]}
    arrays["scalar"] = np.array(values[3, 4])
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps(arrays, protocol))
    found = read_paddle(tmp_path / "w.pdparams")
    assert found.keys() == arrays.keys()
    for name, expected in arrays.items():
        np.testing.assert_array_equal(found[name], expected)
        assert found[name].dtype == expected.dtype


def test_a_function_keeps_what_it_is(tmp_path):
    """Python's reader would set its `__defaults__`, and change it for the rest of the process."""
    path = tmp_path / "w.pdparams"
    before = [getattr(value, "__defaults__", None) for value in ALLOWED_GLOBALS.values()]
    for name in ALLOWED_GLOBALS:
        module, _, function = name.rpartition(".")
        instructions = f"c{module}\n{function}\n".encode() + b"N}" + text("__defaults__") + b"Ns\x86b."
        path.write_bytes(b"\x80\x02" + instructions)
        with pytest.raises(UserError, match="changes an object after making it"):
            read_paddle(path)
    assert before == [getattr(value, "__defaults__", None) for value in ALLOWED_GLOBALS.values()]


@pytest.mark.parametrize(
    ("kind", "shape", "data", "message"),
    [
        (text("O8"), b"K\x01\x85", text("a" * 8), "'O8' holds no numbers"),
        (text("(9,)f4"), b"K\x01\x85", text("a" * 36), "holds no numbers"),
        (b"]", b"K\x01\x85", text("abcd"), "no type of numbers"),
        (text("f4"), b"K\x02\x85", text("abcd"), r"shape \[2\] has 4 bytes"),
        (text("f4"), b"K\x00\x85", text(""), "shape of a tensor"),
        (text("f4"), b"J\xff\xff\xff\xff\x85", text("abcd"), "shape of a tensor"),
        (text("f4"), b"K\x01\x85", b"]", "encoding|bytes-like|buffer"),
        (text("f4"), b"K\x01\x85", text("€bc"), "latin-1"),
    ],
)
def test_an_array_is_what_it_says(tmp_path, kind, shape, data, message):
    path = tmp_path / "w.pdparams"
    path.write_bytes(state_dict({"a": array(text("abcd"), b"K\x01\x85")}))
    assert read_paddle(path)["a"].tobytes() == b"abcd"
    path.write_bytes(state_dict({"a": array(data, shape, kind)}))
    with pytest.raises(UserError, match=message):
        read_paddle(path)


@pytest.mark.parametrize(
    ("instructions", "message"),
    [
        (b"}K\x01Ns", "key that is not text, but int"),
        (b"}B\x01\x00\x00\x00aNs", "key that is not text, but bytes"),
        (b"}" + text("\x1b[31m") + b"Ns", "cannot be printed"),
        (b"cos\n\x1b]0;title\n", "cannot be printed"),
        (b"cos\nsystem\n", "asks to load os.system"),
        (text("os") + text("system") + b"\x93", "asks to load os.system"),
        (b"cnumpy\nndarray\n)R", "not a function"),
        (b"c_codecs\nencode\n]R", "not a function"),
        (text("a") + b")R", "not a function"),
        (b"]N}b", "changes an object"),
        (b"N(Ne", "not a list"),
        (b"]K\x01Ns", "not a dict"),
        (text("a") + b"Q", "data outside itself"),
        (b"NNq\x05", "as no writer does"),
        (b"Nq\x00h\x01", "index out of range"),
        (b"N\x86", "pop from empty list"),
        (b"\x82\x01", "instruction b'\\\\x82'"),
        (b"\x8a\x11" + bytes(17), "integer of 17 bytes"),
        (b"T" + struct.pack("<i", -1), "too early"),
    ],
)
def test_what_no_writer_writes_is_refused(tmp_path, instructions, message):
    path = tmp_path / "w.pdparams"
    path.write_bytes(b"\x80\x02" + instructions + b".")
    with pytest.raises(UserError, match=message) as error:
        read_paddle(path)
    assert str(error.value).isprintable()
