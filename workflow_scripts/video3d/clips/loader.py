"""Batches of decoded clips, prepared ahead of their use by threads."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np

from video3d.clips.clip_reader import ClipRequest, read_clip

BATCHES_AHEAD = 3


class Batch(NamedTuple):
    """Some requests and their clips, uint8 RGB (N, T, H, W, 3)."""

    requests: Sequence[ClipRequest]
    clips: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """The label of each clip's video, int64 (N,)."""
        return np.array([request.video.label for request in self.requests])


class Loader:
    """Prepares batches of clips, each uint8 RGB of `clip_shape` (T, H, W, 3), in `workers` threads ahead of their use.

    Decoding and resizing release the interpreter's lock, so threads work in parallel and nothing is copied between
    processes.
    """

    def __init__(self, clip_shape: tuple[int, int, int, int], batch_size: int, workers: int):
        self._batch_size = batch_size
        self._clip_shape = clip_shape
        self._workers = workers
        self._idle: list[np.ndarray] = []  # kept over epochs, as fresh memory can cost half a second each time

    def batches(self, requests: Iterable[ClipRequest]) -> Iterator[Batch]:
        """Yield the requested clips in their order, `batch_size` at a time; the last batch has what is left.

        Requests are taken when their batch is begun. At most `BATCHES_AHEAD` batches beside the one in use exist at any
        time, and their memory is used again: a batch is valid until the next one is asked for. Raises UserError, in the
        place of the batch, if a frame of it does not decode.
        """
        requests = iter(requests)
        buffers = self._idle.pop() if self._idle else self._new_buffers()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="loader") as pool:
            in_flight: deque[tuple[Batch, list[Future]]] = deque()
            number = 0
            try:
                while part := list(islice(requests, self._batch_size)):
                    clips = buffers[number % len(buffers), : len(part)]
                    queue = deque(zip(clips, part, strict=True))
                    futures = [pool.submit(_read_clips, queue) for _ in range(self._workers)]
                    in_flight.append((Batch(part, clips), futures))
                    number += 1
                    if len(in_flight) == len(buffers):
                        yield _finished(*in_flight.popleft())
                while in_flight:
                    yield _finished(*in_flight.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
                self._idle.append(buffers)

    def _new_buffers(self) -> np.ndarray:
        return np.empty((BATCHES_AHEAD + 1, self._batch_size, *self._clip_shape), np.uint8)


def _read_clips(queue: deque[tuple[np.ndarray, ClipRequest]]) -> None:
    """Read the clips that no other thread has taken; a task for each of them would cost more hand-overs."""
    while True:
        try:
            clip, request = queue.popleft()
        except IndexError:
            return
        read_clip(clip, request)


def _finished(batch: Batch, futures: list[Future]) -> Batch:
    for future in futures:
        future.result()
    return batch
