"""Which clip of a video the training sees: frames, crop, mirroring and colours, drawn anew in every epoch."""

from random import Random

from video3d.clips import spatial_crops, temporal_sampling
from video3d.clips.clip_reader import ClipRequest, centre_request, frame_size
from video3d.common.settings import ClipSettings, TrainSettings
from video3d.dataset.split_table import Video
from video3d.frames.frame_pack import Pack

SAMPLING = {"segments": temporal_sampling.segment_indices, "consecutive": temporal_sampling.consecutive_indices}
CROPS = {
    "multi_scale": spatial_crops.multi_scale_box,
    "corners": spatial_crops.corner_box,
    "random_resized": spatial_crops.random_resized_box,
    "centre": lambda width, height, size, rng: spatial_crops.centre_box(width, height),
}
SMALLEST_CROPS = {  # as a share of the short side
    "multi_scale": spatial_crops.MULTI_SCALE_FACTORS[-1],
    "corners": spatial_crops.CORNER_SCALES[-1],
    "random_resized": spatial_crops.SMALLEST_AREA**0.5,
    "centre": 1.0,
}


def training_request(video: Video, pack: Pack, clip: ClipSettings, train: TrainSettings, rng: Random) -> ClipRequest:
    """Draw the clip of a training video.

    Args:
        video: a row of the split table.
        pack: the pack of its class.
        clip: that section of the settings; `frames` and `size` count.
        train: that section of the settings; `sampling`, `crop`, `flip` and `colour_jitter` count.
        rng: of this video in this epoch. The order of the draws is part of what a seed means: do not change it.
    """
    indices = SAMPLING[train.sampling](video.frames, clip.frames, rng)
    flip = rng.random() < train.flip
    box = CROPS[train.crop](*frame_size(pack, video.folder, int(indices[0])), clip.size, rng)
    colours = spatial_crops.random_colours(train.colour_jitter, rng) if train.colour_jitter else None
    return ClipRequest(video, pack, indices, box, flip, colours)


def validation_request(video: Video, pack: Pack, clip: ClipSettings, train: TrainSettings) -> ClipRequest:
    """Return the request for the middle clip of a validation video, sampled as in training.

    The arguments are those of `training_request`.
    """
    return centre_request(video, pack, SAMPLING[train.sampling](video.frames, clip.frames))
