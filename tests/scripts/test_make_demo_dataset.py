import zipfile

import cv2
import numpy as np
import pytest
from scipy.stats import ks_2samp

import make_demo_dataset as demo
from video3d.common.files import sha256


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The archives with one video per group and class."""
    folder = tmp_path_factory.mktemp("demo")
    demo.make_demo_dataset(folder, videos_per_group=1)
    return folder


@pytest.fixture(scope="module")
def lists(archives):
    """Name and bytes of the list files."""
    with zipfile.ZipFile(archives / demo.LISTS_ARCHIVE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def decode(archives, name, folder):
    """The frames of a video in the archive, uint8 (T, height, width, BGR)."""
    path = folder / f"{name}.avi"
    with zipfile.ZipFile(archives / demo.VIDEOS_ARCHIVE) as archive:
        path.write_bytes(archive.read(f"UCF101/{name}.avi"))
    video = cv2.VideoCapture(str(path))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    return np.stack(frames)


def entries(lists, name):
    """The lines of a list file."""
    return lists[f"ucfTrainTestlist/{name}"].decode().removesuffix("\r\n").split("\r\n")


def test_the_bytes_are_the_same_every_time_for_any_number_of_threads(archives, tmp_path):
    demo.make_demo_dataset(tmp_path, videos_per_group=1, threads=1)
    for name in (demo.VIDEOS_ARCHIVE, demo.LISTS_ARCHIVE):
        assert sha256(tmp_path / name) == sha256(archives / name)


def test_the_videos_lie_flat_and_are_all_listed_once_in_every_split(archives, lists):
    with zipfile.ZipFile(archives / demo.VIDEOS_ARCHIVE) as archive:
        videos = archive.namelist()
    assert len(videos) == 6 * 25
    assert videos[0] == f"UCF101/v_{demo.CLASSES[0]}_g01_c01.avi"
    for split in (1, 2, 3):
        train = [line.split(" ")[0] for line in entries(lists, f"trainlist{split:02d}.txt")]
        test = entries(lists, f"testlist{split:02d}.txt")
        assert sorted(f"UCF101/{line.split('/')[1]}" for line in train + test) == videos


def test_lists_have_the_official_format(lists):
    names = ["classInd.txt", *(f"{kind}list0{split}.txt" for kind in ("train", "test") for split in (1, 2, 3))]
    assert sorted(lists) == sorted(f"ucfTrainTestlist/{name}" for name in names)
    for text in lists.values():
        assert text.endswith(b"\r\n")
        assert text.count(b"\n") == text.count(b"\r\n")
    assert entries(lists, "classInd.txt") == [f"{label} {name}" for label, name in enumerate(demo.CLASSES, 1)]
    last = demo.CLASSES[-1]
    assert entries(lists, "trainlist01.txt")[-1] == f"{last}/v_{last}_g25_c01.avi 6"
    assert entries(lists, "testlist03.txt")[-1] == f"{last}/v_{last}_g21_c01.avi"


@pytest.mark.parametrize("split", [1, 2, 3])
def test_train_and_test_share_no_group(lists, split):
    groups = {
        kind: {int(line.split("_g")[1][:2]) for line in entries(lists, f"{kind}list0{split}.txt")}
        for kind in ("train", "test")
    }
    assert groups["test"] == set(range(7 * split - 6, 7 * split + 1))
    assert groups["train"] == set(range(1, 26)) - groups["test"]


@pytest.mark.parametrize("pair", demo.MOTIONS.values(), ids="-".join)
def test_the_second_class_of_a_pair_is_the_first_one_played_backwards(archives, tmp_path, pair):
    forwards, backwards = (decode(archives, f"v_{name}_g03_c01", tmp_path) for name in pair)
    assert len(forwards) == demo.FRAMES
    np.testing.assert_array_equal(backwards, forwards[::-1])
    assert (forwards[0] != forwards[-1]).any()


@pytest.mark.parametrize("name", demo.MOTIONS)
def test_a_frame_at_a_random_time_has_the_same_distribution_in_all_classes(name):
    def values(moving):
        rng = np.random.default_rng(0)
        return [demo.draw_path(moving, rng)[name][rng.integers(demo.FRAMES)] for _ in range(2000)]

    samples = {moving: values(moving) for moving in demo.MOTIONS}
    for moving in demo.MOTIONS:
        assert ks_2samp(samples[name], samples[moving]).pvalue > 0.001
