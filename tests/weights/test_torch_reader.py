"""Parts of PyTorch's files that no other test has: bfloat16, views of one storage, sizes that differ."""

import pickle
import struct

import numpy as np
import pytest

from helpers.hostile_weights import archive, legacy, state_dict, storage, tensor, text
from video3d.common.errors import UserError
from video3d.weights.torch_reader import read_torch

NUMBERS = np.arange(1, 7, dtype="f4")


def two_views(size: int = 6) -> bytes:
    """The six numbers as a matrix by columns, and the last two of them."""
    first = tensor(storage(text("0"), size) + b"q\x00", (2, 3), (1, 2))
    return state_dict({"whole": first, "part": tensor(b"h\x00", (2,)).replace(b"h\x00K\x00", b"h\x00K\x04")})


def assert_views(found: dict[str, np.ndarray]) -> None:
    assert found["whole"].tolist() == [[1, 3, 5], [2, 4, 6]]
    assert found["part"].tolist() == [5, 6]
    assert np.shares_memory(found["whole"], found["part"])


def test_views_of_one_storage(tmp_path):
    (tmp_path / "zip").write_bytes(archive(two_views(), {"data/0": NUMBERS.tobytes()}))
    assert_views(read_torch(tmp_path / "zip"))
    after = struct.pack("<q", 6) + NUMBERS.tobytes()
    (tmp_path / "legacy").write_bytes(legacy(two_views(), pickle.dumps(["0"], protocol=2), after))
    assert_views(read_torch(tmp_path / "legacy"))


def test_bfloat16(tmp_path):
    bits = (NUMBERS.view("u4") >> 16).astype("u2")  # so small numbers are whole in their upper half
    pickled = two_views().replace(b"FloatStorage", b"BFloat16Storage")
    (tmp_path / "w").write_bytes(archive(pickled, {"data/0": bits.tobytes()}))
    assert_views(read_torch(tmp_path / "w"))


@pytest.mark.parametrize("size", [5, 7, -6, 2**62])
def test_a_storage_of_another_size_is_refused(tmp_path, size):
    (tmp_path / "zip").write_bytes(archive(two_views(size), {"data/0": NUMBERS.tobytes()}))
    after = struct.pack("<q", size) + NUMBERS.tobytes()
    (tmp_path / "legacy").write_bytes(legacy(two_views(size), pickle.dumps(["0"], protocol=2), after))
    for name in ("zip", "legacy"):
        with pytest.raises(UserError, match=r"another size|larger than its data|too early|shape"):
            read_torch(tmp_path / name)


def test_numbers_that_are_not_listed_are_missing(tmp_path):
    (tmp_path / "w").write_bytes(legacy(two_views(), pickle.dumps([], protocol=2)))
    with pytest.raises(UserError, match="numbers of a tensor are missing"):
        read_torch(tmp_path / "w")
