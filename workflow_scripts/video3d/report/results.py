"""The results of one run, read back from results/<run>/ for the report and for comparisons."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.common import data_frames
from video3d.common.errors import UserError
from video3d.common.settings import Settings
from video3d.report import run_files
from video3d.report.run_files import Key


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    `accuracy` is accuracy.csv with `split` as text (1, 2, 3 or mean). `predictions` has one row per split, seed,
    protocol and test video; `history` one per split, seed and epoch. `models` is the metadata of the exported models.
    `trainings` is the description of the weights that were trained here, and only where these are the ones that were
    evaluated: of weights that were given, or that somebody put in their place, there is no history and no training.
    `evaluations` is every metrics.json, by split, seed and protocol.
    """

    name: str
    settings: Settings
    accuracy: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    models: dict[Key, dict[str, Any]]
    trainings: dict[Key, dict[str, Any]]
    evaluations: dict[tuple[int, int, str], dict[str, Any]]

    @cached_property
    def class_names(self) -> list[str]:
        """The names of the classes, in the order of their labels."""
        named = self.predictions[["label", "class"]].drop_duplicates().set_index("label")["class"]
        predicted = self.predictions[["predicted_label", "predicted_class"]].drop_duplicates()
        return list(named.combine_first(predicted.set_index("predicted_label")["predicted_class"]).sort_index())

    @property
    def protocols(self) -> list[str]:
        """The protocols of the run, in the order of its settings."""
        return list(self.settings.evaluate.protocols)

    @property
    def first_predictions(self) -> pd.DataFrame:
        """The predictions by the first protocol; all figures but those of accuracy and differences are about these."""
        return self.predictions[self.predictions["protocol"] == self.protocols[0]]


def read_run(folder: Path, settings: Settings | None = None) -> Run:
    """Read results/<run>/: accuracy.csv and what is below split<k>/seed<s>/ for the splits and seeds of `settings`.

    Without `settings`, those that the run left in its config.yaml are used.
    Raises UserError that names the file if one is missing, damaged or lacks a column.
    """
    folder = Path(folder)
    settings = settings or run_files.read_run_settings(folder)
    protocols = settings.evaluate.protocols
    networks = {key: run_files.network_folder(folder, key) for key in run_files.network_keys(settings)}
    models = {key: run_files.read_model(network) for key, network in networks.items()}
    trainings = {
        key: training
        for key, network in networks.items()
        if (training := run_files.read_training(network, models[key]))
    }
    return Run(
        name=folder.name,
        settings=settings,
        accuracy=read_data_frame(folder / "accuracy.csv", run_files.ACCURACY_COLUMNS).astype({"split": str}),
        predictions=_read_predictions(
            folder,
            ((*key, protocol) for key in networks for protocol in protocols),
            run_files.PREDICTION_COLUMNS,
        ),
        history=_read_histories({key: networks[key] for key in trainings}),
        models=models,
        trainings=trainings,
        evaluations={
            (*key, protocol): run_files.read_evaluation(network / protocol, models[key])
            for key, network in networks.items()
            for protocol in protocols
        },
    )


def read_listed_predictions(folder: Path) -> pd.DataFrame:
    """Return the predictions that accuracy.csv of results/<run>/ lists; others in it are of former settings.

    Columns are those of predictions.csv and split, seed, protocol. Raises UserError if the folder has no such table, or
    if predictions are missing, damaged or lack a column that a comparison of two runs needs.
    """
    if not (folder / "accuracy.csv").is_file():
        raise UserError(f"{folder} has no accuracy.csv; give results/<run> of a finished run")
    listed = read_data_frame(folder / "accuracy.csv", {"split", "seed", "protocol"}).query("split != 'mean'")
    keys = ((int(split), int(seed), name) for split, seed, name in listed[["split", "seed", "protocol"]].to_numpy())
    return _read_predictions(folder, keys, run_files.COMPARED_COLUMNS)


def read_data_frame(path: Path, columns: set[str]) -> pd.DataFrame:
    """Read a CSV file of a run, with numbers as numbers.

    Raises UserError if the file is missing, is no table or lacks one of `columns`.
    """
    run_files.require_columns(path, columns)
    try:
        return data_frames.read_data_frame(path)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a CSV table ({error}); {run_files.REMEDY}") from error


def _read_predictions(folder: Path, keys: Iterable[tuple[int, int, str]], columns: set[str]) -> pd.DataFrame:
    """Read the predictions of each (split, seed, protocol)."""
    tables = [
        read_data_frame(run_files.network_folder(folder, (split, seed)) / protocol / "predictions.csv", columns).assign(
            split=split, seed=seed, protocol=protocol
        )
        for split, seed, protocol in keys
    ]
    return pd.concat(tables, ignore_index=True).astype({"correct": bool})


def _read_histories(networks: dict[Key, Path]) -> pd.DataFrame:
    tables = [
        read_data_frame(network / "history.csv", run_files.HISTORY_COLUMNS).assign(split=split, seed=seed)
        for (split, seed), network in networks.items()
    ]
    columns = ["split", "seed", *sorted(run_files.HISTORY_COLUMNS)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
