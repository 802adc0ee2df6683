"""What the files below results/<run>/ say of a run, checked; the tables in them are read by `results`.

Nothing here needs pandas or Paddle: a dry run, too, looks whether a run can be read.
"""

import csv
from pathlib import Path
from typing import Any

import yaml

from video3d.common.documents import read_document, read_json
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.settings import Settings, parse_settings, resolve
from video3d.common.settings_renamed import with_todays_names
from video3d.evaluation.model_metadata import PARAMETERS, read_model_metadata
from video3d.weights.description_schema import Description

ACCURACY_COLUMNS = {"split", "seed", "protocol", "videos", "top1", "top1_low", "top1_high"}
COMPARED_COLUMNS = {"video", "class", "label", "group", "correct"}  # of predictions, for a comparison of two runs
PREDICTION_COLUMNS = COMPARED_COLUMNS | {"predicted_label", "predicted_class", "top1_probability"}
HISTORY_COLUMNS = {
    "epoch", "learning_rate", "loss", "top1", "validation_loss", "validation_top1", "clips_per_second", "wait_share",
    "seconds",
}  # fmt: skip
TRAINING_SETTINGS = ("batch_size", "epochs", "sampling", "crop", "flip", "devices")  # that the report shows or needs
REMEDY = "delete it and run the workflow again"

Key = tuple[int, int]  # (split, seed), which names a network of a run


def require_readable(folder: Path) -> None:
    """Raise UserError that names the file and the way out unless `results.read_run` can read results/<run>/.

    Of the tables only the heads are looked at.
    """
    settings = read_run_settings(folder)
    require_columns(folder / "accuracy.csv", ACCURACY_COLUMNS)
    for key in network_keys(settings):
        network = network_folder(folder, key)
        model = read_model(network)
        if read_training(network, model):
            require_columns(network / "history.csv", HISTORY_COLUMNS)
        for protocol in settings.evaluate.protocols:
            read_evaluation(network / protocol, model)
            require_columns(network / protocol / "predictions.csv", PREDICTION_COLUMNS)


def read_run_settings(folder: Path) -> Settings:
    """Return the settings that the run left in its config.yaml, those of an older version under the names of today."""
    path = folder / "config.yaml"
    _require_file(path)
    try:
        return resolve(with_todays_names(parse_settings(str(path))))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def network_keys(settings: Settings) -> list[Key]:
    """Return the networks of a run, as (split, seed)."""
    return [(split, seed) for split in settings.splits for seed in settings.seeds]


def network_folder(folder: Path, key: Key) -> Path:
    """Return the folder of one network of the run in `folder`."""
    return folder / f"split{key[0]}" / f"seed{key[1]}"


def read_model(network: Path) -> dict[str, Any]:
    """Return the metadata of the exported model in the folder of a network."""
    path = network / "model" / "metadata.json"
    _require_file(path)
    model = read_model_metadata(path)
    _require_keys(path, model["weights"], "source", "sha256")
    return model


def read_evaluation(folder: Path, model: dict[str, Any]) -> dict[str, Any]:
    """Return what metrics.json in `folder` says. Raises UserError unless it is about this exported model."""
    path = folder / "metrics.json"
    evaluation = read_mapping(path)
    _require_keys(path, evaluation, "model_sha256", "protocol_description", "device", "seconds")
    if evaluation["model_sha256"] != model["files"][PARAMETERS]:
        raise UserError(f"{path} is an evaluation of another model than the one beside it; run the workflow again")
    return evaluation


def read_training(network: Path, model: dict[str, Any]) -> dict[str, Any] | None:
    """Return what weights.json of a network says of its training, with whose history the model's weights belong.

    None if the model's weights were not trained here, or if weights.json or history.csv are those of other weights.
    """
    path, history = network / "weights.json", network / "history.csv"
    if model["weights"]["origin"] != "trained" or not (path.is_file() and history.is_file()):
        return None
    training = read_document(path, Description, REMEDY)
    if training.get("sha256") != model["weights"]["sha256"] or training.get("history_sha256") != sha256(history):
        return None
    _require_keys(path, training.get("train"), *TRAINING_SETTINGS)
    return training


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a mapping from a JSON or YAML file. Raises UserError if there is no such file, or something else in it."""
    _require_file(path)
    if path.suffix == ".json":
        return read_json(path, REMEDY)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path} is not YAML ({error}); {REMEDY}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it holds a {type(content).__name__} instead of a mapping; {REMEDY}")
    return content


def require_columns(path: Path, columns: set[str]) -> None:
    """Raise UserError if there is no CSV file `path`, or if its head lacks one of `columns`."""
    _require_file(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            head = next(csv.reader(file), [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a CSV table ({error}); {REMEDY}") from error
    if missing := columns - set(head):
        raise UserError(
            f"{path} has no column {', '.join(sorted(missing))}; it has {', '.join(head) or 'none'}; it is damaged or "
            f"of another version: {REMEDY}"
        )


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path} does not exist; the workflow writes it before it draws the figures")


def _require_keys(path: Path, content: Any, *names: str) -> None:
    """Raise UserError unless `content`, a part of the file, is a mapping that has all these keys."""
    missing = [name for name in names if name not in content] if isinstance(content, dict) else list(names)
    if missing:
        raise UserError(f"{path} does not say {', '.join(missing)}: it is damaged or of another version; {REMEDY}")
