"""Files, folders and runs that the settings name: those that are missing, cannot be read, or hold nothing."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.folders import expand_home, visible_entries
from video3d.common.settings import DatasetSettings, Settings
from video3d.fetch.archive_members import is_video
from video3d.fetch.sources import DataSource
from video3d.fetch.unpacked import unpacked_table
from video3d.preflight.bound_run import read_mapping
from video3d.report.run_files import require_readable

MADE_HERE = Path("resources/demo/source")  # the archives in it are made by a rule


def file_faults(settings: Settings, root: Path = Path()) -> Iterator[str]:
    """Yield what is wrong with files, folders and runs that any call needs."""
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
        yield from missing_run(root / "results" / run, settings.run)
    if folder := settings.predict.videos:
        yield from empty_folder(folder)


def source_faults(dataset: DatasetSettings, videos: DataSource, lists: DataSource) -> Iterator[str]:
    """Yield a message if an archive is missing that no rule makes, or if a folder of videos holds no video.

    An archive may be moved away once a run is finished and what was made of it is there.
    """
    made = {"videos": unpacked_table(dataset), "lists": fetched_lists(dataset)}
    sources = {"videos": videos, "lists": lists} if dataset.format == "ucf101" else {"videos": videos}
    for setting, source in sources.items():
        if source.kind == "archive" and MADE_HERE not in Path(source.path).parents:
            faults = list(missing_file(f"dataset: {setting}", source.path))
            if faults and not (made[setting].exists() and named_by_a_run(setting, dataset)):
                yield from faults
    if (
        dataset.format == "ucf101"
        and videos.kind == "folder"
        and not any(is_video(name) for _, _, names in os.walk(videos.path, followlinks=True) for name in names)
    ):
        yield f"dataset: videos: there is no video in the folder {videos.path}, nor in a folder below"


def fetched_lists(dataset: DatasetSettings) -> Path:
    """Return the folder that the lists are fetched to."""
    return Path("resources", dataset.name, "ucfTrainTestlist")


def named_by_a_run(setting: str, dataset: DatasetSettings) -> bool:
    """Return whether a finished run of the data set has the very sources in `setting`, `videos` or `lists`.

    Then a missing one is not mistyped.
    """
    finished = [read_mapping(path).get("dataset") for path in Path("results").glob("*/config.yaml")]
    return any(
        made.get("name") == dataset.name and made.get(setting) == getattr(dataset, setting)
        for made in finished
        if isinstance(made, dict)
    )


def missing_file(setting: str, path: str) -> Iterator[str]:
    """Yield a message if there is no readable file at `path`; it names one nearby with a similar name."""
    file = Path(path)
    if file.is_dir():
        yield f"{setting}: {path} is a folder; expected a file"
    elif not file.is_file():
        yield f"{setting}: {path} does not exist{_similar_file(file)}"
    elif not os.access(file, os.R_OK):
        yield f"{setting}: {path} cannot be read: permission denied"


def _similar_file(file: Path) -> str:
    if (expanded := expand_home(file)).is_file():
        return f"; ~ is not expanded here: write {expanded}"
    if not file.parent.is_dir():
        return f", nor does the folder {file.parent}; the current folder is {Path.cwd()}"
    names = [entry.name for entry in file.parent.iterdir() if not entry.name.startswith(".")]
    near = difflib.get_close_matches(file.name, names, n=1, cutoff=0.6)
    return f"; did you mean {file.with_name(near[0])}?" if near else ""


def missing_run(results: Path, this: str) -> Iterator[str]:
    """Yield a message if a run's `results` are not there to be compared with `this` run; it names those that are."""
    run = results.name
    if run == this:
        yield f"report: compare: {run} is this run itself; name another one"
    elif not (results / "accuracy.csv").is_file():
        there = results.parent.glob("*/accuracy.csv")
        runs = sorted(path.parent.name for path in there if path.parent.name != this)
        near = difflib.get_close_matches(run, runs, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else f"runs to compare with: {', '.join(runs) or 'none'}"
        yield f"report: compare: {run}: {results}/accuracy.csv does not exist; {hint}"
    else:
        try:
            require_readable(results)
        except UserError as error:
            yield f"report: compare: {run}: {error}; or take it out of report: compare:"


def empty_folder(folder: str) -> Iterator[str]:
    """Yield a message if there is no video to predict in `folder`."""
    path = expand_home(Path(folder))
    if not path.is_dir():
        yield f"predict: videos: {folder} " + ("is a file; expected a folder" if path.is_file() else "does not exist")
    elif not visible_entries(path):
        yield f"predict: videos: there is no file in {folder}"
