"""The classes of a data set before anything runs: from the settings, or from where the videos lie."""

from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.settings import DatasetSettings
from video3d.dataset import own_videos, ucf101
from video3d.dataset.video_table import classes_of, read_videos
from video3d.fetch.own_videos import find_videos
from video3d.fetch.sources import DataSource


def class_names(dataset: DatasetSettings, videos: DataSource, root: Path = Path()) -> list[str]:
    """Return the names of the classes that count.

    Those of own videos are looked up where the videos lie on this machine, else in the table that was made of them
    before, below `root`. Raises UserError if neither is there, or if the folder cannot be a data set.
    """
    if dataset.classes:
        return dataset.classes
    if dataset.format == "ucf101":
        return list(ucf101.CLASSES)
    if videos.path and Path(videos.path).exists():
        try:
            source, without_groups = Path(videos.path), dataset.model_copy(update={"groups": ""})
            return classes_of(own_videos.list_videos(without_groups, source, find_videos(source)))
        except UserError as error:
            raise UserError(f"dataset: videos: {videos.path} cannot be a data set:\n{error}") from error
    table = root / "data" / dataset.name / "videos.csv"
    if not table.is_file():
        if videos.path:
            raise UserError(f"dataset: videos: {videos.path} does not exist")
        raise UserError(f"dataset: classes: name them, as what is in {videos.urls[0]} is not known before it is here")
    return classes_of(read_videos(table))
