"""The results of one run, read back from results/<run>/ for the report."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.common.errors import UserError
from video3d.common.settings import Settings
from video3d.report import run_files

Key = tuple[int, int]  # (split, seed), which names a network of a run


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
    def classes(self) -> list[str]:
        """Class names in the order of their labels."""
        named = self.predictions[["label", "class"]].drop_duplicates().set_index("label")["class"]
        predicted = self.predictions[["predicted_label", "predicted_class"]].drop_duplicates()
        return list(named.combine_first(predicted.set_index("predicted_label")["predicted_class"]).sort_index())

    @property
    def protocols(self) -> list[str]:
        """The protocols of the run, in the order of its settings."""
        return list(self.settings.evaluate.protocols)


def read_run(folder: Path, settings: Settings | None = None) -> Run:
    """Read results/<run>/: accuracy.csv and what is below split<k>/seed<s>/ for the splits and seeds of `settings`.

    Without `settings`, those that the run left in its config.yaml are used.
    Raises UserError that names the file if one is missing, damaged or lacks a column.
    """
    folder = Path(folder)
    settings = settings or run_files.run_settings(folder)
    protocols = settings.evaluate.protocols
    places = {key: run_files.below(folder, key) for key in run_files.keys(settings)}
    models = {key: run_files.read_model(place) for key, place in places.items()}
    trainings = {
        key: training for key, place in places.items() if (training := run_files.read_training(place, models[key]))
    }
    predictions = [
        read_table(place / protocol / "predictions.csv", run_files.PREDICTION_COLUMNS).assign(
            split=split, seed=seed, protocol=protocol
        )
        for (split, seed), place in places.items()
        for protocol in protocols
    ]
    return Run(
        name=folder.name,
        settings=settings,
        accuracy=read_table(folder / "accuracy.csv", run_files.ACCURACY_COLUMNS).astype({"split": str}),
        predictions=pd.concat(predictions, ignore_index=True).astype({"correct": bool}),
        history=_read_histories({key: places[key] for key in trainings}),
        models=models,
        trainings=trainings,
        evaluations={
            (*key, protocol): run_files.read_evaluation(place / protocol, models[key])
            for key, place in places.items()
            for protocol in protocols
        },
    )


def read_table(path: Path, columns: set[str]) -> pd.DataFrame:
    """Read a CSV file. Raises UserError if it is missing, not a table, or lacks one of `columns`."""
    try:
        table = pd.read_csv(run_files.existing(path))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a CSV table ({error}); {run_files.REMEDY}") from error
    run_files.require_columns(path, columns, list(table.columns))
    return table


def _read_histories(places: dict[Key, Path]) -> pd.DataFrame:
    tables = [
        read_table(place / "history.csv", run_files.HISTORY_COLUMNS).assign(split=split, seed=seed)
        for (split, seed), place in places.items()
    ]
    columns = ["split", "seed", *sorted(run_files.HISTORY_COLUMNS)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
