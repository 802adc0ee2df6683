"""What a training does before its first step: check what it is given, load weights, say how long it may take."""

import logging
from collections import Counter
from collections.abc import Sequence

from paddle import nn

from video3d.clips.clip_reader import frame_size
from video3d.common.errors import UserError
from video3d.common.settings import Settings, TrainSettings
from video3d.training.augmentation import SMALLEST_CROPS
from video3d.training.batches import TrainingData
from video3d.training.progress_log import log_cpu_time, training_operations, warn_of_large_frames
from video3d.training.requirements import data_faults, settings_faults
from video3d.weights.import_weights import check_settings, load_any
from video3d.weights.pdparams import apply_weights


def require_trainable(train: TrainSettings, data: TrainingData) -> None:
    """Raise UserError if the videos cannot fill every class and a batch, or if a setting needs what is not there."""
    counts = Counter(video.label for video in data.training)
    videos = {name: counts[label] for label, name in enumerate(data.class_names)}
    if faults := [*data_faults(train, videos), *settings_faults(train, bool(data.validation))]:
        raise UserError("; ".join(faults))


def load_start(network: nn.Layer, settings: Settings, class_names: Sequence[str]) -> None:
    """Give the network the weights of `train: weights:`, if any; their classifier only if it is of these classes.

    Raises UserError if they are of another network, or saw another input, than the sections `model` and `clip` say.
    """
    weights = settings.train.weights
    if weights:
        tensors, known = load_any(weights)
        check_settings(weights, known, settings.model, settings.clip)
        new_head = known.get("labels") != list(class_names)
        apply_weights(network, tensors, new_head, source=weights)
        logging.info("starting from %s with %s classifier", weights, "a new" if new_head else "their")


def log_expected_time(
    network: nn.Layer, settings: Settings, data: TrainingData, epochs: int, cpu_threads: int | None
) -> None:
    """Say what is known beforehand about the time that the training takes; frames of one size are assumed.

    Args:
        network: the network.
        settings: the sections `clip` and `train` count.
        data: the videos.
        epochs: that are left.
        cpu_threads: of all processes together, if the training is on a CPU; None on a GPU.
    """
    if cpu_threads:
        operations = training_operations(network, settings.clip, len(data.training) * epochs)
        log_cpu_time(operations, cpu_threads)
    video = data.training[0]
    short_side = min(frame_size(data.packs[video.class_name], video.folder, 0))
    warn_of_large_frames(short_side, settings.clip.size, SMALLEST_CROPS[settings.train.crop])
