import numpy as np
import pytest

from video3d.common.errors import UserError
from video3d.training.checkpoint import FILE, Checkpoint, State, Totals

STATE = State(epoch=3, step=2, totals=Totals(clips=8, loss=1.5), history=[{"epoch": 1}, {"epoch": 2}])


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path):
    tensors = {"weights/a.b": np.array([0.1, np.nan], np.float32), "optimizer/a.b/_velocity_0": np.ones((2, 3))}
    checkpoint = Checkpoint(tmp_path / "key", "key")
    checkpoint.save(STATE, tensors)
    state, found = checkpoint.load()
    assert state == STATE
    assert {name: value.tobytes() for name, value in found.items()} == {n: v.tobytes() for n, v in tensors.items()}


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert Checkpoint(tmp_path, "key").load() is None


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    Checkpoint(tmp_path, "key").save(STATE, {})
    with pytest.raises(UserError, match="of another training"):
        Checkpoint(tmp_path, "other").load()


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"text"])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    Checkpoint(tmp_path, "key").save(STATE, {"weights/a": np.ones(100)})
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"checkpoint\.npz is damaged"):
        Checkpoint(tmp_path, "key").load()


def test_nothing_in_a_checkpoint_is_executed(tmp_path):
    np.savez(tmp_path / FILE, facts=np.array([print], dtype=object))
    with pytest.raises(UserError, match="damaged"):
        Checkpoint(tmp_path, "key").load()


def test_what_a_checkpoint_announces_is_not_believed(tmp_path):
    Checkpoint(tmp_path, "key").save(STATE, {"weights/a": np.ones(100)})
    whole = (tmp_path / FILE).read_bytes()
    assert b"(100,)" in whole
    (tmp_path / FILE).write_bytes(whole.replace(b"(100,), }           ", b"(10000000000000,), }"))
    with pytest.raises(UserError, match="damaged"):
        Checkpoint(tmp_path, "key").load()
    np.savez_compressed(tmp_path / FILE, a=np.zeros(1 << 20))
    with pytest.raises(UserError, match="compressed"):
        Checkpoint(tmp_path, "key").load()
