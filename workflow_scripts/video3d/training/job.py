"""What a training is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from video3d.clips.loader import Loader
from video3d.compute.distributed import ALONE, Team
from video3d.dataset.split_table import Video
from video3d.frames.frame_pack import Pack


@dataclass(frozen=True)
class Job:
    """What to train: `settings` has the sections `model`, `clip` and `train` of the config, `key` stands for all.

    `software` says what computes; it is no part of the key, so that finished weights are taken over wherever they are.
    """

    settings: dict
    classes: Sequence[str]
    training: Sequence[Video]
    validation: Sequence[Video]
    packs: dict[str, Pack]
    seed: int
    checkpoints: Path
    key: str
    device: str = "cpu"
    threads: int = 1
    workers: int = 1
    team: Team = ALONE
    software: dict = field(default_factory=dict)

    @cached_property
    def loader(self) -> Loader:
        """Makes this process's share of the batches."""
        clip, batch_size = self.settings["clip"], self.settings["train"]["batch_size"]
        clip_shape = clip["frames"], clip["size"], clip["size"], 3
        return Loader(clip_shape, len(self.team.share(range(batch_size))), self.workers)
