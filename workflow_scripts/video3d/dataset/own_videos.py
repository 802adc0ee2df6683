"""Own videos, in class folders or in a table: which there are, and the splits that they bring or that are drawn."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.settings import DatasetSettings
from video3d.dataset import folders, table_of_videos
from video3d.dataset.drawn_splits import draw_splits
from video3d.dataset.video_table import DatasetVideo


def list_videos(dataset: DatasetSettings, source: Path, files: Iterable[str]) -> list[DatasetVideo]:
    """Return the own videos of a table `source`, or those of the folder or archive `source`, which are `files`.

    Raises UserError that tells all that is wrong with them, or that the source is of another format than is set.
    """
    if (dataset.format == "table") != table_of_videos.is_table(source):
        expected = {"table": "the path of a CSV file", "folders": "a folder, or an archive of one"}[dataset.format]
        raise UserError(f"dataset: videos: {source}: expected {expected}, as dataset: format: is {dataset.format}")
    if dataset.format == "folders":
        return folders.list_videos(files, dataset.groups)
    if dataset.groups:
        raise UserError("dataset: groups: is for format folders; a table has its groups in a column `group`")
    return table_of_videos.list_videos(source)


def with_splits(
    videos: Sequence[DatasetVideo], dataset: DatasetSettings, drawn: Mapping[str, int]
) -> tuple[list[DatasetVideo], dict[str, int]]:
    """Return the videos with their subsets, and the fold of each group where splits are drawn; `drawn` was before.

    A table that names subsets is taken at its word. Raises UserError if a class has too few groups for a draw.
    """
    if any(video.subsets for video in videos):
        return list(videos), {}
    return draw_splits(videos, dataset.folds, dataset.draw_seed, drawn)
