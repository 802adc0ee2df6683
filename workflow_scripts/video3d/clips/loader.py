"""Batches of decoded clips, prepared ahead of their use by threads."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np

Item = TypeVar("Item")
BATCHES_AHEAD = 3


class Batch(NamedTuple):
    """Some items and their clips, uint8 RGB (N, T, H, W, 3)."""

    items: Sequence
    clips: np.ndarray


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

    def batches(self, items: Sequence[Item], fill: Callable[[np.ndarray, Item], None]) -> Iterator[Batch]:
        """The items in their order, `batch_size` at a time, the last batch as many as are left.

        `fill(out, item)` writes the item's clip straight into its place in the batch. At most `BATCHES_AHEAD` batches
        beside the one in use exist at any time, and their memory is used again: a batch is valid until the next one is
        asked for. What `fill` raises is raised here, when its batch is due.
        """
        shape = BATCHES_AHEAD + 1, self._batch_size, *self._clip_shape
        rooms = self._idle.pop() if self._idle else np.empty(shape, np.uint8)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="loader") as pool:
            due: deque[tuple[Batch, list[Future]]] = deque()
            try:
                for number, start in enumerate(range(0, len(items), self._batch_size)):
                    part = items[start : start + self._batch_size]
                    clips = rooms[number % len(rooms), : len(part)]
                    todo = deque(zip(clips, part, strict=True))
                    work = [pool.submit(_fill_all, fill, todo) for _ in range(self._workers)]
                    due.append((Batch(part, clips), work))
                    if len(due) == len(rooms):
                        yield _finished(*due.popleft())
                while due:
                    yield _finished(*due.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
                self._idle.append(rooms)


def _fill_all(fill: Callable[[np.ndarray, Item], None], todo: deque) -> None:
    """Fill the clips that no other thread has taken; a task for each of them would cost more hand-overs."""
    while True:
        try:
            clip, item = todo.popleft()
        except IndexError:
            return
        fill(clip, item)


def _finished(batch: Batch, work: list[Future]) -> Batch:
    for future in work:
        future.result()
    return batch
