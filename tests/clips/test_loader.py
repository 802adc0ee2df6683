import threading
import time

import numpy as np
import psutil
import pytest

from helpers.tiny_packs import frame_jpeg, write_dataset, write_pack
from video3d.clips.clip_reader import fill_clip, open_packs
from video3d.clips.loader import BATCHES_AHEAD, Loader
from video3d.common.errors import UserError
from video3d.dataset.split_table import Video, class_names, read_split
from video3d.frames.manifests import content_hash
from video3d.training.randomness import generator


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path, classes=["Bowling", "Archery"], videos=3, frames=9)


def test_a_split_table_is_read_in_its_order(dataset):
    videos = read_split(dataset / "split1.csv")
    assert videos[0] == Video("v_Bowling_g01_c01", "Bowling", 0, 1, "train", 9)
    assert len(videos) == 6
    assert class_names(videos) == ["Bowling", "Archery"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,class\na,b\n", "lacks one of the columns"),
        ("video,class,label,group,subset,frames\nv,C,zero,1,train,9\n", "no split table"),
        ("video,class,label,group,subset,frames\n", "lists no video"),
    ],
)
def test_damaged_split_tables_are_named(tmp_path, text, message):
    path = tmp_path / "split1.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=f"split1.csv.*{message}"):
        read_split(path)
    with pytest.raises(UserError, match=r"split2\.csv does not exist"):
        read_split(tmp_path / "split2.csv")


def test_labels_must_be_a_count_from_zero():
    video = Video("v", "A", 1, 1, "train", 9)
    with pytest.raises(UserError, match="labels"):
        class_names([video])
    with pytest.raises(UserError, match="labels"):
        class_names([video._replace(label=0), video._replace(label=0, class_name="B")])


def test_a_pack_that_does_not_match_the_split_table_is_named(dataset):
    videos = read_split(dataset / "split1.csv")
    assert set(open_packs(dataset / "frames", videos)) == {"Archery", "Bowling"}
    with pytest.raises(UserError, match=r"Bowling.zip holds 9 frames of v_Bowling_g01_c01, .* says 10"):
        open_packs(dataset / "frames", [videos[0]._replace(frames=10)])
    with pytest.raises(UserError, match=r"Bowling.zip holds 0 frames of v_Bowling_g77_c01"):
        open_packs(dataset / "frames", [videos[0]._replace(name="v_Bowling_g77_c01")])


def test_the_content_hash_follows_frames_and_labels_only(dataset):
    videos = read_split(dataset / "split1.csv")
    before = content_hash(dataset / "frames", videos)
    write_pack(dataset / "frames", "Bowling", 3, 9)
    assert content_hash(dataset / "frames", videos) == before
    assert content_hash(dataset / "frames", [videos[0]._replace(label=1), *videos[1:]]) != before
    write_pack(dataset / "frames", "Bowling", 3, 9, brightness=1)
    assert content_hash(dataset / "frames", videos) != before
    with pytest.raises(UserError, match="does not know v_x"):
        content_hash(dataset / "frames", [videos[0]._replace(name="v_x")])
    with pytest.raises(UserError, match=r"Clapping.csv does not exist"):
        content_hash(dataset / "frames", [videos[0]._replace(class_name="Clapping")])


def test_random_numbers_depend_on_seed_epoch_and_video_only():
    assert generator(1, 2, "v").random() == generator(1, 2, "v").random()
    draws = {generator(*key).random() for key in [(1, 2, "v"), (2, 2, "v"), (1, 3, "v"), (1, 2, "w"), (12, 2, "v")]}
    assert len(draws) == 5


def test_a_clip_holds_the_chosen_frames(dataset):
    video = read_split(dataset / "split1.csv")[0]
    pack = open_packs(dataset / "frames", [video])["Bowling"]
    out = np.zeros((3, 16, 16, 3), np.uint8)
    fill_clip(out, video, pack, np.array([0, 4, 8]))
    assert np.abs(out.mean(axis=(1, 2, 3)) - [0, 4 * 20, 8 * 20]).max() < 3  # frame i has the brightness 20·i


def test_a_truncated_jpeg_is_named_and_never_replaced(tmp_path):
    whole = [frame_jpeg(20 * i) for i in range(9)]
    dataset = write_dataset(tmp_path, classes=["Bowling"], videos=1, jpegs=[*whole[:4], whole[4][:200], *whole[5:]])
    video = read_split(dataset / "split1.csv")[0]
    pack = open_packs(dataset / "frames", [video])["Bowling"]
    with pytest.raises(UserError, match=r"class Bowling, video v_Bowling_g01_c01, frame 5 does not decode"):
        fill_clip(np.zeros((2, 16, 16, 3), np.uint8), video, pack, np.array([3, 4]))


@pytest.mark.parametrize(("height", "width"), [(15, 16), (16, 7), (1, 1), (40, 50)])
def test_a_frame_of_another_size_than_the_first_is_named(tmp_path, height, width):
    jpegs = [frame_jpeg(20 * i) for i in range(9)]
    jpegs[4] = frame_jpeg(80, width, height)  # the others have 24 × 18 pixels
    dataset = write_dataset(tmp_path, classes=["Bowling"], videos=1, jpegs=jpegs)
    video = read_split(dataset / "split1.csv")[0]
    pack = open_packs(dataset / "frames", [video])["Bowling"]
    with pytest.raises(UserError, match=r"v_Bowling_g01_c01, frame 5 does not decode: .*(smaller than|too small)"):
        fill_clip(np.zeros((3, 16, 16, 3), np.uint8), video, pack, np.array([3, 4, 5]))


def write_number(out, item):
    out[:] = item


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_batches_keep_the_order_for_any_number_of_workers(workers):
    found = []
    loader = Loader((2, 4, 4, 3), 5, workers)
    for batch in loader.batches(range(43), write_number):  # longer than the ring of arrays
        found.append(list(batch.items))
        time.sleep(0.005)  # the workers could overwrite it now, if its memory were used again too early
        assert batch.clips.dtype == np.uint8
        assert batch.clips.shape[1:] == (2, 4, 4, 3)
        assert (batch.clips == np.array(batch.items, np.uint8)[:, None, None, None, None]).all()
    assert found == [[*range(i, min(i + 5, 43))] for i in range(0, 43, 5)]


def test_only_a_few_batches_are_prepared_ahead():
    done = []
    gate = threading.Event()

    def fill(out, item):
        gate.wait(5)
        done.append(item)

    stream = Loader((1, 2, 2, 3), 4, 2).batches(range(1000), fill)
    gate.set()
    next(stream)
    stream.close()
    assert len(done) <= 4 * (BATCHES_AHEAD + 1)


def test_the_next_batches_are_prepared_while_one_is_in_use():
    done = []
    stream = Loader((1, 2, 2, 3), 4, 2).batches(range(1000), lambda out, item: done.append(item))
    next(stream)  # the consumer works on the first batch, and asks for nothing
    deadline = time.monotonic() + 10
    while len(done) < 4 * (BATCHES_AHEAD + 1) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert sorted(done) == list(range(4 * (BATCHES_AHEAD + 1)))
    stream.close()


def test_a_pack_takes_one_file_handle_however_much_is_read(dataset):
    videos = read_split(dataset / "split1.csv")
    before = psutil.Process().num_fds()
    packs = open_packs(dataset / "frames", videos)
    out = np.zeros((9, 16, 16, 3), np.uint8)
    for _ in range(3):
        for video in videos:
            fill_clip(out, video, packs[video.class_name], np.arange(9))
    assert psutil.Process().num_fds() <= before + len(packs)


def test_what_a_worker_raises_arrives_with_its_batch():
    def fill(out, item):
        if item == 7:
            raise UserError("video 7 is damaged")

    stream = Loader((1, 2, 2, 3), 5, 2).batches(range(20), fill)
    assert list(next(stream).items) == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match="video 7"):
        next(stream)


def test_memory_is_kept_over_epochs_but_not_shared_by_two_at_once():
    loader = Loader((2, 4, 4, 3), 5, 2)
    first, again = [next(loader.batches(range(10), write_number)).clips for _ in range(2)]
    assert np.shares_memory(first, again)
    streams = [loader.batches(range(start, start + 10), write_number) for start in (0, 100)]
    for batches in zip(*streams, strict=True):
        for batch in batches:
            assert batch.clips[:, 0, 0, 0, 0].tolist() == list(batch.items)
