import numpy as np
import pytest

from helpers.tiny_packs import write_dataset
from video3d.clips.clip_reader import decode_frames, frame_size, open_packs
from video3d.clips.spatial_crops import centre_box
from video3d.dataset.split_table import read_split


@pytest.fixture
def pack(tmp_path):
    """A pack in which frame i of every video has the brightness 20 · i."""
    dataset = write_dataset(tmp_path, classes=["Bowling"], videos=1, frames=9)
    return open_packs(dataset / "frames", read_split(dataset / "split1.csv"))["Bowling"]


VIDEO = "v_Bowling_g01_c01"


def test_frames_come_in_the_order_of_the_indices(pack):
    out = np.zeros((3, 16, 16, 3), np.uint8)
    decode_frames(out, pack, VIDEO, [8, 0, 4], centre_box(*frame_size(pack, VIDEO, 8)))
    assert np.abs(out.mean(axis=(1, 2, 3)) - [8 * 20, 0, 4 * 20]).max() < 3


def test_the_size_of_a_frame_is_width_and_height(pack):
    assert frame_size(pack, VIDEO, 0) == (24, 18)
