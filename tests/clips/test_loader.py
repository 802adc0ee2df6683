import time

import numpy as np
import pytest

from helpers.tiny_packs import frame_jpeg, write_dataset
from video3d.clips.clip_reader import ClipRequest, open_packs
from video3d.clips.loader import BATCHES_AHEAD, Loader
from video3d.clips.spatial_crops import Box
from video3d.common.errors import UserError
from video3d.dataset.split_table import read_split

SHAPE = (2, 4, 4, 3)
FRAMES = 60


@pytest.fixture
def video_and_pack(tmp_path):
    """A video of which frame i has the brightness 4 · i."""
    jpegs = [frame_jpeg(4 * index) for index in range(FRAMES)]
    dataset = write_dataset(tmp_path, classes=["Bowling"], videos=1, jpegs=jpegs)
    (video,) = read_split(dataset / "split1.csv")
    return video, open_packs(dataset / "frames", [video])["Bowling"]


def requests(video_and_pack, numbers):
    """A request for each number: a clip of two frames with this index."""
    for number in numbers:
        yield ClipRequest(*video_and_pack, np.full(2, number), Box(0, 0, 16, 16))


def numbers_of(batch):
    """The numbers that were asked for, and those that the clips show."""
    return [int(request.indices[0]) for request in batch.requests], (batch.clips / 4).round().astype(int)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_batches_keep_the_order_for_any_number_of_workers(video_and_pack, workers):
    found = []
    for batch in Loader(SHAPE, 5, workers).batches(requests(video_and_pack, range(43))):  # longer than the buffers
        time.sleep(0.005)  # the workers could overwrite it now, if its memory were used again too early
        numbers, shown = numbers_of(batch)
        found.append(numbers)
        assert batch.clips.dtype == np.uint8
        assert batch.clips.shape[1:] == SHAPE
        assert (shown == np.array(numbers)[:, None, None, None, None]).all()
        assert batch.labels.tolist() == [0] * len(numbers)
    assert found == [[*range(i, min(i + 5, 43))] for i in range(0, 43, 5)]


def test_only_a_few_batches_are_prepared_ahead(video_and_pack):
    taken = []

    def counted():
        for request in requests(video_and_pack, [0] * 1000):
            taken.append(request)
            yield request

    stream = Loader(SHAPE, 4, 2).batches(counted())
    next(stream)
    stream.close()
    assert len(taken) == 4 * (BATCHES_AHEAD + 1)


def test_the_next_batches_are_prepared_while_one_is_in_use(video_and_pack, monkeypatch):
    done = []
    monkeypatch.setattr("video3d.clips.loader.read_clip", lambda out, request: done.append(int(request.indices[0])))
    stream = Loader(SHAPE, 4, 2).batches(requests(video_and_pack, range(1000)))
    next(stream)  # the consumer works on the first batch, and asks for nothing
    deadline = time.monotonic() + 10
    while len(done) < 4 * (BATCHES_AHEAD + 1) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert sorted(done) == list(range(4 * (BATCHES_AHEAD + 1)))
    stream.close()


def test_what_a_worker_raises_arrives_with_its_batch(tmp_path):
    jpegs = [frame_jpeg(20)] * 20
    jpegs[7] = jpegs[7][:200]
    dataset = write_dataset(tmp_path, classes=["Bowling"], videos=1, jpegs=jpegs)
    (video,) = read_split(dataset / "split1.csv")
    pack = open_packs(dataset / "frames", [video])["Bowling"]
    stream = Loader(SHAPE, 5, 2).batches(requests((video, pack), range(20)))
    assert numbers_of(next(stream))[0] == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match="frame 8 does not decode"):
        next(stream)


def test_memory_is_kept_over_epochs_but_not_shared_by_two_at_once(video_and_pack):
    loader = Loader(SHAPE, 5, 2)
    first, again = [next(loader.batches(requests(video_and_pack, range(10)))).clips for _ in range(2)]
    assert np.shares_memory(first, again)
    streams = [loader.batches(requests(video_and_pack, range(start, start + 10))) for start in (0, 40)]
    for batches in zip(*streams, strict=True):
        for batch in batches:
            numbers, shown = numbers_of(batch)
            assert shown[:, 0, 0, 0, 0].tolist() == numbers
