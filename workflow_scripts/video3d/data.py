"""Videos of a split, their packs of frames, and batches of decoded clips prepared ahead of their use by threads."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import numpy as np

from video3d.augment import RESIZING, Box, centre_box, crop_resizer, decode, mirror
from video3d.console import UserError
from video3d.packs import Pack
from video3d.tables import read_table

Item = TypeVar("Item")
COLUMNS = ("video", "class", "label", "group", "subset", "frames")
BATCHES_AHEAD = 3


class Video(NamedTuple):
    """One row of a split table."""

    name: str
    class_name: str
    label: int
    group: int
    subset: str
    frames: int


def read_split(path: str | os.PathLike) -> list[Video]:
    """The videos of a split table, in its order. Raises UserError if the table is missing, damaged or empty."""
    rows = read_table(Path(path), COLUMNS, made_by="make_splits.py")
    try:
        videos = [
            Video(name, class_name, int(label), int(group), subset, int(frames))
            for name, class_name, label, group, subset, frames in ([row[name] for name in COLUMNS] for row in rows)
        ]
    except ValueError as error:
        raise UserError(f"{path} is no split table ({error}): make it again with make_splits.py") from error
    if not videos:
        raise UserError(f"{path} lists no video: look into the audit, then make it again with make_splits.py")
    return videos


def class_names(videos: Sequence[Video]) -> list[str]:
    """The names of the classes, in the order of their labels.

    Raises UserError unless the labels are 0, 1, 2, … and each belongs to one class.
    """
    names = dict(sorted({(video.label, video.class_name) for video in videos}))
    pairs = {(video.label, video.class_name) for video in videos}
    if list(names) != list(range(len(names))) or len(pairs) != len(names):
        raise UserError(f"the split table's labels are not 0 … {len(pairs) - 1}, one a class: {sorted(pairs)[:5]} …")
    return list(names.values())


def open_packs(frames: str | os.PathLike, videos: Sequence[Video]) -> dict[str, Pack]:
    """The packs of the videos' classes, by class; `frames` is the folder with <Class>.zip.

    Raises UserError if a pack is missing or holds other videos or other numbers of frames than the split table says.
    """
    packs = {name: Pack(Path(frames) / f"{name}.zip") for name in sorted({video.class_name for video in videos})}
    for video in videos:
        found = packs[video.class_name].videos.get(video.name, 0)
        if found != video.frames:
            raise UserError(
                f"{Path(frames) / video.class_name}.zip holds {found} frames of {video.name}, but the split table says "
                f"{video.frames}; extract the frames of {video.class_name} again, then audit and make_splits"
            )
    return packs


def content_hash(frames: str | os.PathLike, videos: Sequence[Video]) -> str:
    """One hash over the videos and, from the manifests <Class>.csv beside the packs, the content of their frames.

    It changes when a frame, a label or the order changes, and stays when equal frames are extracted again.
    Raises UserError if a manifest is missing or does not know a video.
    """
    digest = hashlib.sha256()
    for video, content in zip(videos, manifest_column(frames, videos, "content"), strict=True):
        digest.update(f"{video},{content}\n".encode())
    return digest.hexdigest()


def manifest_column(frames: str | os.PathLike, videos: Sequence[Video], column: str) -> list[str]:
    """What the manifests <Class>.csv in the folder `frames` say in `column` about each of `videos`.

    Raises UserError if a manifest is missing, lacks the column or does not know a video.
    """
    tables: dict[str, dict[str, str]] = {}
    for name in {video.class_name for video in videos}:
        rows = read_table(Path(frames) / f"{name}.csv", ("video", column), made_by="extract_frames.py")
        tables[name] = {row["video"]: row[column] for row in rows}
    unknown = [video for video in videos if not tables[video.class_name].get(video.name)]
    if unknown:
        first = unknown[0]
        raise UserError(f"{Path(frames) / first.class_name}.csv does not know {first.name}; extract its frames again")
    return [tables[video.class_name][video.name] for video in videos]


def generator(seed: int, epoch: int, key: str) -> Random:
    """The random numbers of one video (or one purpose) in one epoch: they depend on nothing else.

    They are Python's, not NumPy's, whose every draw gives up the interpreter's lock: a fifth of the loader's rate.
    """
    return Random(f"{seed}/{epoch}/{key}")


def fill_clip(
    out: np.ndarray,
    video: Video,
    pack: Pack,
    indices: np.ndarray,
    draw_box: Callable[[int, int], Box] = centre_box,
    flip: bool = False,
    resizing: str = RESIZING,
) -> None:
    """Decode the frames `indices` of a video into `out`, uint8 RGB (T, H, W, 3), all cropped by the same box.

    `draw_box` gets the width and height of the frames. Raises UserError that names class, video and frame if a frame
    does not decode: a damaged clip is never replaced by another.
    """
    image = crop_resize = None
    for frame, index, jpeg in zip(out, indices, pack.jpegs(video.name, indices.tolist()), strict=True):
        try:
            image = decode(jpeg, image)
            crop_resize = crop_resize or crop_resizer(draw_box(image.shape[1], image.shape[0]), len(frame), resizing)
            crop_resize(image, frame)
        except ValueError as error:
            raise UserError(
                f"class {video.class_name}, video {video.name}, frame {index + 1} does not decode: {error}; "
                f"extract the frames of {video.class_name} again"
            ) from error
    if flip:
        mirror(out)


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
