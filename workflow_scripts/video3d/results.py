"""The results of one run, read back from results/<run>/ for the report."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.config import settings_argument
from video3d.console import UserError
from video3d.files import sha256

PREDICTION_COLUMNS = {
    "video", "group", "label", "class", "predicted_label", "predicted_class", "correct", "top1_probability",
}  # fmt: skip
HISTORY_COLUMNS = [
    "split", "seed", "epoch", "learning_rate", "loss", "top1", "validation_loss", "validation_top1",
    "clips_per_second", "wait_share", "seconds",
]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    `accuracy` is accuracy.csv with `split` as text (1, 2, 3 or mean). `predictions` has one row per split, seed,
    protocol and test video; `history` one per split, seed and epoch. `models` is the metadata of the exported models,
    by (split, seed). `trainings` is the description of the weights that were trained here, and only where these are the
    ones that were evaluated: of weights that were given, or that somebody put in their place, there is no history and
    no training. `evaluations` is every metrics.json.
    """

    name: str
    settings: dict[str, Any]
    accuracy: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    models: dict[tuple[int, int], dict[str, Any]]
    trainings: dict[tuple[int, int], dict[str, Any]]
    evaluations: list[dict[str, Any]]

    @cached_property
    def classes(self) -> list[str]:
        """Class names in the order of their labels."""
        named = self.predictions[["label", "class"]].drop_duplicates().set_index("label")["class"]
        predicted = self.predictions[["predicted_label", "predicted_class"]].drop_duplicates()
        return list(named.combine_first(predicted.set_index("predicted_label")["predicted_class"]).sort_index())

    @property
    def protocols(self) -> list[str]:
        """The protocols of the run, in the order of its settings."""
        return list(self.settings["evaluate"]["protocols"])


def read_run(folder: Path, settings: dict[str, Any] | None = None) -> Run:
    """Read results/<run>/: accuracy.csv and what is below split<k>/seed<s>/ for the splits and seeds of `settings`.

    Without `settings`, those that the run left in its config.yaml are used.
    Raises UserError that names the file if one is missing or lacks a column.
    """
    folder = Path(folder)
    settings = settings or settings_argument(str(existing(folder / "config.yaml")))
    keys = [(split, seed) for split in settings["splits"] for seed in settings["seeds"]]
    models = {key: _read_json(_below(folder, *key) / "model" / "metadata.json") for key in keys}
    evaluations = [
        _read_evaluation(_below(folder, *key) / protocol / "metrics.json", models[key])
        for key in keys
        for protocol in settings["evaluate"]["protocols"]
    ]
    trainings = {key: training for key in keys if (training := _training(_below(folder, *key), models[key]))}
    predictions = [
        read_table(_below(folder, split, seed) / protocol / "predictions.csv", PREDICTION_COLUMNS).assign(
            split=split, seed=seed, protocol=protocol
        )
        for split, seed in keys
        for protocol in settings["evaluate"]["protocols"]
    ]
    return Run(
        name=folder.name,
        settings=settings,
        accuracy=read_table(
            folder / "accuracy.csv", {"split", "seed", "protocol", "videos", "top1", "top1_low", "top1_high"}
        ).astype({"split": str}),
        predictions=pd.concat(predictions, ignore_index=True).astype({"correct": bool}),
        history=_read_histories(folder, list(trainings)),
        models=models,
        trainings=trainings,
        evaluations=evaluations,
    )


def read_benchmarks(folder: Path, run: str, dataset: str) -> pd.DataFrame:
    """Wall time of every job of `run` and of its data set: columns rule, seconds, megabytes (peak resident memory).

    Snakemake writes benchmarks/<rule>/<run or dataset>…tsv when a job ends; jobs that never ran here have none.
    """
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        rule, owner, *_ = [*path.relative_to(folder).with_suffix("").parts, ""]
        if owner in {run, dataset}:
            table = pd.read_csv(path, sep="\t")
            rows += [(rule, row["s"], row.get("max_rss")) for _, row in table.iterrows()]
    return pd.DataFrame(rows, columns=["rule", "seconds", "megabytes"])


def read_table(path: Path, columns: set[str]) -> pd.DataFrame:
    """Read a CSV file. Raises UserError if it is missing, not a table, or lacks one of `columns`."""
    try:
        table = pd.read_csv(existing(path))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a CSV table ({error}); delete it and run the workflow again") from error
    if missing := columns - set(table.columns):
        raise UserError(
            f"{path} has no column {', '.join(sorted(missing))}; it has {', '.join(table.columns)}; "
            "it was written by another version: delete it and run the workflow again"
        )
    return table


def existing(path: Path) -> Path:
    """`path` itself. Raises UserError if there is no such file."""
    if not path.is_file():
        raise UserError(f"{path} does not exist; the workflow writes it before it draws the figures")
    return path


def _read_evaluation(path: Path, model: dict[str, Any]) -> dict[str, Any]:
    """The scores in metrics.json. Raises UserError unless they are of the exported model beside them."""
    evaluation = _read_json(path)
    if evaluation.get("model_sha256") != model["files"]["model.pdiparams"]:
        raise UserError(f"{path} is an evaluation of another model than the one beside it; run the workflow again")
    return evaluation


def _training(folder: Path, model: dict[str, Any]) -> dict[str, Any] | None:
    """The description of the training in `folder` if its weights, with their history, are those of the model."""
    description, history = folder / "weights.json", folder / "history.csv"
    if model["weights"]["origin"] != "trained" or not (description.is_file() and history.is_file()):
        return None
    training = _read_json(description)
    same = training.get("sha256") == model["weights"]["sha256"] and training.get("history_sha256") == sha256(history)
    return training if same else None


def _read_histories(folder: Path, keys: list[tuple[int, int]]) -> pd.DataFrame:
    tables = [
        read_table(_below(folder, split, seed) / "history.csv", set(HISTORY_COLUMNS[2:])).assign(split=split, seed=seed)
        for split, seed in keys
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=HISTORY_COLUMNS)


def _below(folder: Path, split: int, seed: int) -> Path:
    return folder / f"split{split}" / f"seed{seed}"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(existing(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); delete it and run the workflow again") from error
