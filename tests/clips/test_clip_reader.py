import cv2
import numpy as np
import psutil
import pytest
import simplejpeg

from helpers.tiny_packs import frame_jpeg, write_dataset
from video3d.clips.clip_reader import ClipRequest, centre_request, decode_frames, frame_size, open_packs, read_clip
from video3d.clips.spatial_crops import Box, centre_box
from video3d.common.errors import UserError
from video3d.dataset.split_table import read_split

VIDEO = "v_Bowling_g01_c01"


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path, classes=["Bowling", "Archery"], videos=3, frames=9)


def test_a_pack_that_does_not_match_the_split_table_is_named(dataset):
    videos = read_split(dataset / "split1.csv")
    assert set(open_packs(dataset / "frames", videos)) == {"Archery", "Bowling"}
    with pytest.raises(UserError, match=r"Bowling.zip holds 9 frames of v_Bowling_g01_c01, .* says 10"):
        open_packs(dataset / "frames", [videos[0]._replace(frames=10)])
    with pytest.raises(UserError, match=r"Bowling.zip holds 0 frames of v_Bowling_g77_c01"):
        open_packs(dataset / "frames", [videos[0]._replace(name="v_Bowling_g77_c01")])


def open_pack(folder, jpegs=None):
    """One video and its pack: nine frames of 24 × 18 pixels, of which frame i has the brightness 20 · i."""
    dataset = write_dataset(folder, classes=["Bowling"], videos=1, jpegs=jpegs, frames=9)
    (video,) = read_split(dataset / "split1.csv")
    return video, open_packs(dataset / "frames", [video])["Bowling"]


def test_frames_come_in_the_order_of_the_indices(tmp_path):
    _, pack = open_pack(tmp_path)
    assert frame_size(pack, VIDEO, 8) == (24, 18)
    out = np.zeros((3, 16, 16, 3), np.uint8)
    decode_frames(out, pack, VIDEO, [8, 0, 4], centre_box(24, 18))
    assert np.abs(out.mean(axis=(1, 2, 3)) - [8 * 20, 0, 4 * 20]).max() < 3


def test_a_clip_is_cropped_mirrored_and_coloured_as_requested(tmp_path):
    picture = cv2.resize(np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8), (40, 30))
    video, pack = open_pack(tmp_path, [simplejpeg.encode_jpeg(picture, 100)] * 9)
    decoded = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(picture, 100))
    request = ClipRequest(video, pack, np.array([0, 5]), Box(3, 7, 16, 16))
    out = np.zeros((2, 16, 16, 3), np.uint8)
    read_clip(out, request)
    assert (out == decoded[7:23, 3:19]).all()
    read_clip(out, request._replace(flip=True))
    assert (out == decoded[7:23, 18:2:-1]).all()
    brighter = np.column_stack([1.25 * np.eye(3), np.zeros(3)])
    read_clip(out, request._replace(colours=brighter))
    assert np.abs(out - np.minimum(1.25 * decoded[7:23, 3:19], 255)).max() <= 1
    read_clip(out, centre_request(video, pack, np.array([2, 3])))
    centred = cv2.resize(decoded[:, 5:35], (16, 16), interpolation=cv2.INTER_AREA)
    assert np.abs(out.astype(int) - centred).mean() < 4


def test_a_truncated_jpeg_is_named_and_never_replaced(tmp_path):
    whole = [frame_jpeg(20 * i) for i in range(9)]
    video, pack = open_pack(tmp_path, [*whole[:4], whole[4][:200], *whole[5:]])
    with pytest.raises(UserError, match=r"class Bowling, video v_Bowling_g01_c01, frame 5 does not decode"):
        read_clip(np.zeros((2, 16, 16, 3), np.uint8), centre_request(video, pack, np.array([3, 4])))


@pytest.mark.parametrize("first", [b"", b"no picture", frame_jpeg(0)[:20]])
def test_a_first_frame_without_a_size_is_named(tmp_path, first):
    video, pack = open_pack(tmp_path, [first, *(frame_jpeg(20 * i) for i in range(1, 9))])
    with pytest.raises(UserError, match=r"class Bowling, video v_Bowling_g01_c01, frame 1 does not decode"):
        centre_request(video, pack, np.array([0, 4]))


@pytest.mark.parametrize(("height", "width"), [(15, 16), (16, 7), (1, 1), (40, 50)])
def test_a_frame_of_another_size_than_the_first_is_named(tmp_path, height, width):
    jpegs = [frame_jpeg(20 * i) for i in range(9)]
    jpegs[4] = frame_jpeg(80, width, height)  # the others have 24 × 18 pixels
    video, pack = open_pack(tmp_path, jpegs)
    with pytest.raises(UserError, match=r"v_Bowling_g01_c01, frame 5 does not decode: .*(smaller than|too small)"):
        read_clip(np.zeros((3, 16, 16, 3), np.uint8), centre_request(video, pack, np.array([3, 4, 5])))


def test_a_pack_takes_one_file_handle_however_much_is_read(dataset):
    videos = read_split(dataset / "split1.csv")
    before = psutil.Process().num_fds()
    packs = open_packs(dataset / "frames", videos)
    out = np.zeros((9, 16, 16, 3), np.uint8)
    for _ in range(3):
        for video in videos:
            read_clip(out, centre_request(video, packs[video.class_name], np.arange(9)))
    assert psutil.Process().num_fds() <= before + len(packs)
