"""What can be known before anything runs, from the settings and the files of this machine alone.

Nothing is imported here that computes, and nothing here changes a result: it goes on, or stops with all faults at once.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from video3d.common.errors import UserError
from video3d.common.settings import Settings
from video3d.fetch.sources import DataSource
from video3d.model.architecture import model_faults
from video3d.preflight.check_device import device_faults, engine_faults
from video3d.preflight.check_files import file_faults, source_faults
from video3d.preflight.check_lists import own_faults, split_faults
from video3d.training.requirements import settings_faults

MISSING_FOLDER = "predict: videos: is not set; name a folder: --config 'predict={videos: /path/of/a/folder}'"
READS_RUNS = r"results/[^/]+/compare_[^/]+\.csv|overview|results/overview\.(html|csv)"


def check(
    settings: Settings,
    videos: DataSource,
    lists: DataSource,
    targets: Iterable[str] = (),
    computes_here: bool = False,
    needs_data: bool = True,
    root: Path = Path(),
) -> None:
    """Raise UserError that lists everything in the settings that cannot work, with the setting's name.

    Args:
        settings: all settings of the run.
        videos: where the videos come from; what is on a server is not looked at.
        lists: where the official lists come from.
        targets: what Snakemake is asked for.
        computes_here: whether the jobs run on this machine, so that its GPUs count.
        needs_data: whether data and device must be at hand: not for a report of results that are there, nor where
            another workflow may bring them. Comparisons and overviews never need them.
        root: the folder of resources/ and results/.
    """
    faults = [
        *file_faults(settings, root),
        *target_faults(settings, targets),
        *model_faults(settings.model.model_dump()),
        *(
            split_faults(settings, lists, root)
            if settings.dataset.format == "ucf101"
            else own_faults(settings, videos, root)
        ),
    ]
    if settings.trained_splits:
        faults += settings_faults(settings.train, bool(settings.validation_groups))
    if needs_data and not only_reads_runs(targets):
        faults += source_faults(settings.dataset, videos, lists)
        faults += engine_faults(settings.evaluate.engine, settings.device, computes_here)
        if computes_here:
            faults += device_faults(settings.device, settings.train.devices)
    if faults:
        raise UserError("this cannot work:\n" + "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults)))


def target_faults(settings: Settings, targets: Iterable[str]) -> Iterator[str]:
    """Yield which setting a target needs that no other does."""
    if {"predict", f"results/{settings.run}/predictions.csv"} & set(targets) and not settings.predict.videos:
        yield MISSING_FOLDER


def only_reads_runs(targets: Iterable[str]) -> bool:
    """Return whether Snakemake is asked for comparisons or an overview of runs that are there, and for nothing else."""
    targets = list(targets)
    return bool(targets) and all(re.fullmatch(READS_RUNS, target) for target in targets)
