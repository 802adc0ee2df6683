"""The batches that a training sees, in which order, and which part of them this process prepares."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from video3d.clips.loader import Batch, Loader
from video3d.common.settings import ClipSettings, TrainSettings
from video3d.compute.distributed import SINGLE_PROCESS, ProcessGroup
from video3d.dataset.split_table import Video
from video3d.frames.frame_pack import Pack
from video3d.training.augmentation import training_request, validation_request
from video3d.training.randomness import generator


class TrainingData(NamedTuple):
    """What to learn from: class names in the order of their labels, rows of the split table, packs by class name."""

    class_names: Sequence[str]
    training: Sequence[Video]
    validation: Sequence[Video]
    packs: Mapping[str, Pack]


class BatchSource:
    """Draws, decodes and orders the clips of a training; each process of a group prepares its shard of every batch.

    What is drawn for a video depends on the seed, the epoch and the video alone.

    Args:
        data: the videos.
        clip: that section of the settings.
        train: that section of the settings.
        seed: of all draws.
        workers: threads that decode frames.
        group: the processes that share each batch.
    """

    def __init__(
        self,
        data: TrainingData,
        clip: ClipSettings,
        train: TrainSettings,
        seed: int,
        workers: int,
        group: ProcessGroup = SINGLE_PROCESS,
    ):
        self.data, self.seed, self.group = data, seed, group
        self._clip, self._train = clip, train
        clip_shape = clip.frames, clip.size, clip.size, 3
        self._loader = Loader(clip_shape, len(group.shard(range(train.batch_size))), workers)

    def order(self, epoch: int) -> list[list[Video]]:
        """Return the training videos of an epoch in whole batches; an incomplete last one is dropped."""
        size, videos = self._train.batch_size, self.data.training
        order = generator(self.seed, epoch, "order").sample(videos, len(videos))
        return [order[start : start + size] for start in range(0, len(order) - size + 1, size)]

    def training(self, epoch: int, order: Sequence[Sequence[Video]]) -> Iterator[Batch]:
        """Yield this process's shard of each of these batches of `order(epoch)`."""
        return self._loader.batches(
            training_request(video, self._pack(video), self._clip, self._train, generator(self.seed, epoch, video.name))
            for batch in order
            for video in self.group.shard(batch)
        )

    def validation(self) -> Iterator[Batch]:
        """Yield this process's shard of the validation videos, each once."""
        return self._loader.batches(
            validation_request(video, self._pack(video), self._clip, self._train)
            for video in self.group.shard(self.data.validation)
        )

    def _pack(self, video: Video) -> Pack:
        return self.data.packs[video.class_name]
