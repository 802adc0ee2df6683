"""What can be known before anything runs, from the settings and the files of this machine alone.

Nothing is imported here that computes, and nothing here changes a result: it goes on, or stops with all faults at once.
"""

import difflib
import importlib.metadata
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from video3d.common.errors import UserError
from video3d.common.folders import visible_files
from video3d.common.settings import DatasetSettings, Settings
from video3d.compute.gpu_messages import CPU_BUILD, NO_GPU
from video3d.dataset.splits import make_split, require_videos
from video3d.dataset.ucf101 import CLASSES, OFFICIAL_LISTS_SHA256, read_class_index, read_official_split, select_classes
from video3d.evaluation.engines import misplaced_engine, missing_engine
from video3d.fetch.archives import is_video
from video3d.fetch.lists import lists_in_folder, lists_in_zip
from video3d.fetch.sources import Source
from video3d.fetch.unpacked import unpacked_table
from video3d.model.architecture import model_faults
from video3d.report.run_files import require_readable
from video3d.training.requirements import data_faults, settings_faults

MADE_HERE = Path("resources/demo/source")  # the archives in it are made by a rule


def check(
    settings: Settings,
    videos: Source,
    lists: Source,
    targets: Iterable[str] = (),
    computes_here: bool = False,
    reports: bool = False,
) -> None:
    """Raise UserError that lists everything in the `settings` that cannot work, with the setting's name.

    `videos` and `lists` are where the data come from; what is on a server is not looked at. `targets` are what
    Snakemake is asked for. `computes_here`: whether the jobs run on this machine, so that its GPUs count. `reports`:
    whether results are only gathered into a report; as for comparisons, neither data nor a device is needed then.
    """
    faults = [
        *file_faults(settings),
        *target_faults(settings, targets),
        *model_faults(settings.model.model_dump()),
        *split_faults(settings, lists),
    ]
    if trained_splits(settings):
        faults += settings_faults(settings.train.model_dump(), bool(settings.validation_groups))
    if not (reports or only_compares(targets)):
        faults += source_faults(settings.dataset, videos, lists)
        faults += engine_faults(settings.evaluate.engine, settings.device, computes_here)
        if computes_here:
            faults += device_faults(settings.device, settings.train.devices)
    if faults:
        raise UserError("this cannot work:\n" + "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults)))


def trained_splits(settings: Settings) -> list[int]:
    """The splits that are trained on: those that no weights are given for."""
    return [split for split in settings.splits if str(split) not in settings.evaluate.weights]


def file_faults(settings: Settings) -> Iterator[str]:
    """What is wrong with the files, folders and runs that settings name."""
    if weights := settings.train.weights:
        yield from missing_file("train: weights", weights)
    for split, weights in settings.evaluate.weights.items():
        yield from missing_file(f"evaluate: weights: {split}", weights)
        if int(split) not in settings.splits:
            yield (
                f"evaluate: weights: {split}: {weights} is given for split {split}, which is not in splits: "
                f"{settings.splits}; add it there, or take the file out"
            )
    for run in settings.report.compare:
        yield from missing_run(run, settings.run)
    if folder := settings.predict.videos:
        yield from empty_folder(folder)


def target_faults(settings: Settings, targets: Iterable[str]) -> Iterator[str]:
    """What a target needs that no other does."""
    if {"predict", f"results/{settings.run}/predictions.csv"} & set(targets) and not settings.predict.videos:
        yield "predict: videos: is not set; name a folder: --config 'predict={videos: /path/of/a/folder}'"


def only_compares(targets: Iterable[str]) -> bool:
    """Whether Snakemake is asked for comparisons of runs that are there, and for nothing else."""
    targets = list(targets)
    return bool(targets) and all(re.fullmatch(r"results/[^/]+/compare_[^/]+\.csv", target) for target in targets)


def missing_file(setting: str, path: str) -> Iterator[str]:
    """That there is no file at `path`, and which near it has a similar name."""
    file = Path(path)
    if file.is_dir():
        yield f"{setting}: {path} is a folder; expected a file"
    elif not file.is_file():
        yield f"{setting}: {path} does not exist{_similar_file(file)}"
    elif not os.access(file, os.R_OK):
        yield f"{setting}: {path} cannot be read: permission denied"


def _similar_file(file: Path) -> str:
    if file.expanduser().is_file():
        return f"; ~ is not expanded here: write {file.expanduser()}"
    if not file.parent.is_dir():
        return f", nor does the folder {file.parent}; the current folder is {Path.cwd()}"
    names = [entry.name for entry in file.parent.iterdir() if not entry.name.startswith(".")]
    near = difflib.get_close_matches(file.name, names, n=1, cutoff=0.6)
    return f"; did you mean {file.with_name(near[0])}?" if near else ""


def missing_run(run: str, this: str) -> Iterator[str]:
    """That there is nothing to compare with, and which runs there are."""
    if run == this:
        yield f"report: compare: {run} is this run itself; name another one"
    elif not Path("results", run, "accuracy.csv").is_file():
        runs = sorted(path.parent.name for path in Path("results").glob("*/accuracy.csv") if path.parent.name != this)
        near = difflib.get_close_matches(run, runs, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else f"runs to compare with: {', '.join(runs) or 'none'}"
        yield f"report: compare: {run}: results/{run}/accuracy.csv does not exist; {hint}"
    else:
        try:
            require_readable(Path("results", run))
        except UserError as error:
            yield f"report: compare: {run}: {error}; or take it out of report: compare:"


def empty_folder(folder: str) -> Iterator[str]:
    """That there is no video to predict in `folder`."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        yield f"predict: videos: {folder} " + ("is a file; expected a folder" if path.is_file() else "does not exist")
    elif not visible_files(path):
        yield f"predict: videos: there is no file in {folder}"


def source_faults(dataset: DatasetSettings, videos: Source, lists: Source) -> Iterator[str]:
    """That an archive is not there and no rule makes it, or that a folder of videos holds none.

    An archive may be moved away once a run is finished, and what was made of it is there: that is taken as given.
    """
    made = {"videos": unpacked_table(dataset), "lists": fetched_lists(dataset)}
    for setting, source in (("videos", videos), ("lists", lists)):
        if source.kind == "archive" and MADE_HERE not in Path(source.path).parents:
            faults = list(missing_file(f"dataset: {setting}", source.path))
            if faults and not (made[setting].exists() and named_by_a_run(setting, dataset)):
                yield from faults
    if videos.kind == "folder" and not any(
        is_video(name) for _, _, names in os.walk(videos.path, followlinks=True) for name in names
    ):
        yield f"dataset: videos: there is no video in the folder {videos.path}, nor in a folder below"


def fetched_lists(dataset: DatasetSettings) -> Path:
    """The folder of the lists, once they are fetched."""
    return Path("resources", dataset.name, "ucfTrainTestlist")


def named_by_a_run(setting: str, dataset: DatasetSettings) -> bool:
    """Whether a finished run of the data set has these very sources, so that a missing one is no mistyped one."""
    for path in Path("results").glob("*/config.yaml"):
        try:
            made = yaml.safe_load(path.read_text(encoding="utf-8"))["dataset"]
            if made["name"] == dataset.name and made[setting] == getattr(dataset, setting):
                return True
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue  # not written by accuracy.py
    return False


def split_faults(settings: Settings, lists: Source) -> list[str]:
    """What is wrong with classes, validation groups and batch size, as far as the lists can be read already."""
    wanted = settings.dataset.classes
    fetched = fetched_lists(settings.dataset)
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
            return [
                fault for split in settings.splits for fault in _split_faults(settings, Path(folder), split, classes)
            ]
    except UserError as error:
        return [str(error)]


def local_lists(lists: Source, fetched: Path) -> dict[str, bytes] | None:
    """Name and content of the lists where they lie on this machine, or were `fetched` before; else None."""
    if lists.kind == "folder":
        return lists_in_folder(Path(lists.path))
    if Path(lists.path).is_file():
        return lists_in_zip(Path(lists.path))
    return lists_in_folder(fetched) if fetched.is_dir() else None


def _split_faults(settings: Settings, folder: Path, split: int, classes: list[str]) -> list[str]:
    try:
        rows = make_split(*read_official_split(folder, split), classes, settings.validation_groups)
        require_videos(rows, classes)
    except UserError as error:
        return [f"split {split}: {str(error).replace(f'{folder}/', '')}"]
    if split not in trained_splits(settings):
        return []
    counts = Counter(row.class_name for row in rows if row.subset == "train")
    return [
        f"split {split}: {fault}"
        for fault in data_faults(settings.train.model_dump(), {name: counts[name] for name in classes})
    ]


def device_faults(device: str, devices: int) -> Iterator[str]:
    """Which GPUs are asked for and not there, found out without Paddle, which takes seconds to import."""
    if device == "cpu":
        return
    gpus = usable_gpus()
    if device == "gpu" and not gpus:
        yield f"device: gpu, but {CPU_BUILD if is_cpu_build() else NO_GPU}; or set device: auto or device: cpu"
    elif 0 < gpus < devices:
        yield (
            f"train: devices: {devices}, but {gpus} GPUs are visible; set it to that number or less, or look at "
            "CUDA_VISIBLE_DEVICES"
        )


def engine_faults(engine: str, device: str, computes_here: bool) -> Iterator[str]:
    """Why the `engine` that is asked for cannot run on the device, as far as that is known."""
    used = device_here(device) if computes_here else device
    if fault := misplaced_engine(engine, used) or (missing_engine(engine) if computes_here else None):
        yield fault


def device_here(device: str) -> str:
    """What `device` comes to on this machine: "gpu" or "cpu"; "auto" if it cannot be told without Paddle."""
    if device != "auto":
        return device
    if not usable_gpus():
        return "cpu"
    return "gpu" if _installed("paddlepaddle-gpu") else "auto"


def usable_gpus() -> int:
    """How many GPUs the installed Paddle may use; those that are visible where it is installed elsewhere."""
    return 0 if is_cpu_build() else visible_gpus()


def is_cpu_build() -> bool:
    """Whether the installed Paddle cannot use a GPU."""
    return _installed("paddlepaddle") and not _installed("paddlepaddle-gpu")


def visible_gpus() -> int:
    """How many of this machine's NVIDIA GPUs a program that is started here may use."""
    devices = sum(bool(re.fullmatch(r"nvidia\d+", path.name)) for path in Path("/dev").glob("nvidia*"))
    if not devices and Path("/dev/dxg").exists():  # Windows' subsystem for Linux has one device for all
        devices = 1
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return devices if named is None else min(devices, sum(bool(name.strip()) for name in named.split(",")))


def _installed(package: str) -> bool:
    try:
        return bool(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return False
