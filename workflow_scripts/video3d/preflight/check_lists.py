"""Classes, validation groups and batch size, held against official lists or own videos, as far as these are here."""

import tempfile
from collections import Counter
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.settings import DatasetSettings, Settings
from video3d.dataset import own_videos
from video3d.dataset.drawn_splits import read_draw
from video3d.dataset.splits import make_split, require_videos
from video3d.dataset.ucf101 import CLASSES, OFFICIAL_LISTS_SHA256, list_videos, read_class_index
from video3d.dataset.video_table import DatasetVideo, classes_of, select_classes
from video3d.fetch.lists import lists_in_folder, lists_in_zip
from video3d.fetch.own_videos import find_videos
from video3d.fetch.sources import DataSource
from video3d.preflight.check_files import fetched_lists
from video3d.training.requirements import data_faults


def split_faults(settings: Settings, lists: DataSource, root: Path = Path()) -> list[str]:
    """Return what is wrong with classes, groups and batch size; nothing if the lists cannot be read yet."""
    wanted = settings.dataset.classes
    fetched = root / fetched_lists(settings.dataset)
    try:
        found = local_lists(lists, fetched)
        if found and fetched.is_dir() and lists_in_folder(fetched) != found:
            return [
                f"dataset: lists: {lists.path} holds other lists than {fetched}, which are those of all runs of this "
                f"data set; give the new ones a data set of their own (dataset: name:), or delete {fetched} for them"
            ]
        if found is None:
            if settings.dataset.lists_sha256 == OFFICIAL_LISTS_SHA256:
                select_classes(CLASSES, wanted)
            return []
        with tempfile.TemporaryDirectory(prefix="lists_") as folder:
            for name, content in found.items():
                Path(folder, name).write_bytes(content)
            classes = select_classes(read_class_index(Path(folder)), wanted or CLASSES)
            try:
                videos = list_videos(Path(folder))
            except UserError as error:
                return [f"dataset: lists: {str(error).replace(f'{folder}/', '')}"]
        return [fault for split in settings.splits for fault in _split_faults(settings, videos, split, classes)]
    except UserError as error:
        return [str(error)]


def own_faults(settings: Settings, videos: DataSource, root: Path = Path()) -> list[str]:
    """Return what is wrong with own videos, their classes, groups and splits; nothing where they are not here yet."""
    dataset = settings.dataset
    if dataset.name == DatasetSettings().name:
        return [f"dataset: name: {dataset.name} is the name of UCF101; give your own videos another one"]
    if not (videos.path and Path(videos.path).exists()):
        return []
    try:
        source = Path(videos.path)
        listed = own_videos.list_videos(dataset, source, find_videos(source))
        classes = select_classes(classes_of(listed), dataset.classes)
        drawn = read_draw(root / "data" / dataset.name / f"draw_{dataset.folds}_{dataset.draw_seed}.csv")
        table, _ = own_videos.with_splits(listed, dataset, drawn)
    except UserError as error:
        return str(error).split("\n")
    return [fault for split in settings.splits for fault in _split_faults(settings, table, split, classes)]


def local_lists(lists: DataSource, fetched: Path) -> dict[str, bytes] | None:
    """Return name and content of the lists if they lie on this machine or were `fetched` before, else None."""
    if lists.kind == "folder":
        return lists_in_folder(Path(lists.path))
    if Path(lists.path).is_file():
        return lists_in_zip(Path(lists.path))
    return lists_in_folder(fetched) if fetched.is_dir() else None


def _split_faults(settings: Settings, videos: list[DatasetVideo], split: int, classes: list[str]) -> list[str]:
    try:
        rows = make_split(videos, split, classes, settings.validation_groups)
        require_videos(rows, classes)
    except UserError as error:
        return [f"split {split}: {error}"]
    if split not in settings.trained_splits:
        return []
    counts = Counter(row.class_name for row in rows if row.subset == "train")
    return [
        f"split {split}: {fault}" for fault in data_faults(settings.train, {name: counts[name] for name in classes})
    ]
