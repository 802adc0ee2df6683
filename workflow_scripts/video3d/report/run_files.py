"""What the files below results/<run>/ say of a run, checked; the tables in them are read by `results`.

Nothing here needs pandas or Paddle: a dry run, too, looks whether a run can be read.
"""

import csv
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.settings import Settings, parse_settings, resolve
from video3d.common.settings_renamed import with_todays_names
from video3d.evaluation.model_metadata import PARAMETERS, read_model_metadata

ACCURACY_COLUMNS = {"split", "seed", "protocol", "videos", "top1", "top1_low", "top1_high"}
PREDICTION_COLUMNS = {
    "video", "group", "label", "class", "predicted_label", "predicted_class", "correct", "top1_probability",
}  # fmt: skip
HISTORY_COLUMNS = {
    "epoch", "learning_rate", "loss", "top1", "validation_loss", "validation_top1", "clips_per_second", "wait_share",
    "seconds",
}  # fmt: skip
TRAINING_SETTINGS = ("batch_size", "epochs", "sampling", "crop", "flip", "devices")  # that the report shows or needs
REMEDY = "delete it and run the workflow again"


def require_readable(folder: Path) -> None:
    """Raise UserError that names the file and the way out unless `results.read_run` can read results/<run>/.

    Of the tables only the heads are looked at.
    """
    settings = run_settings(folder)
    require_head(folder / "accuracy.csv", ACCURACY_COLUMNS)
    for key in keys(settings):
        place = below(folder, key)
        model = read_model(place)
        if read_training(place, model):
            require_head(place / "history.csv", HISTORY_COLUMNS)
        for protocol in settings.evaluate.protocols:
            read_evaluation(place / protocol, model)
            require_head(place / protocol / "predictions.csv", PREDICTION_COLUMNS)


def run_settings(folder: Path) -> Settings:
    """Return the settings that the run left in its config.yaml, those of an older version under the names of today."""
    path = existing(folder / "config.yaml")
    try:
        return resolve(with_todays_names(parse_settings(str(path))))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def keys(settings: Settings) -> list[tuple[int, int]]:
    """The networks of a run, as (split, seed)."""
    return [(split, seed) for split in settings.splits for seed in settings.seeds]


def below(folder: Path, key: tuple[int, int]) -> Path:
    """The folder of one network of the run in `folder`."""
    return folder / f"split{key[0]}" / f"seed{key[1]}"


def read_model(folder: Path) -> dict[str, Any]:
    """The metadata of the exported model of one network."""
    path = folder / "model" / "metadata.json"
    model = read_model_metadata(existing(path))
    _require(path, model, "model", "weights")
    _require(path, model["model"], "depth", "shortcut", "width")
    _require(path, model["weights"], "source", "sha256")
    return model


def read_evaluation(folder: Path, model: dict[str, Any]) -> dict[str, Any]:
    """What metrics.json says. Raises UserError unless it is about the exported model."""
    path = folder / "metrics.json"
    evaluation = read_json(path)
    _require(path, evaluation, "model_sha256", "protocol_description", "device", "seconds")
    if evaluation["model_sha256"] != model["files"][PARAMETERS]:
        raise UserError(f"{path} is an evaluation of another model than the one beside it; run the workflow again")
    return evaluation


def read_training(folder: Path, model: dict[str, Any]) -> dict[str, Any] | None:
    """The description of the training in `folder` if its weights, with their history, are those of the model."""
    path, history = folder / "weights.json", folder / "history.csv"
    if model["weights"]["origin"] != "trained" or not (path.is_file() and history.is_file()):
        return None
    training = read_json(path)
    if training.get("sha256") != model["weights"]["sha256"] or training.get("history_sha256") != sha256(history):
        return None
    _require(path, training.get("train"), *TRAINING_SETTINGS)
    return training


def read_json(path: Path) -> dict[str, Any]:
    """A mapping in a JSON file. Raises UserError if there is no such file, or something else in it."""
    try:
        content = json.loads(existing(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); {REMEDY}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it holds a {type(content).__name__} instead of a mapping; {REMEDY}")
    return content


def require_head(path: Path, columns: set[str]) -> None:
    """Raise UserError if the CSV file is missing or lacks one of `columns`."""
    try:
        with existing(path).open(newline="", encoding="utf-8") as file:
            head = next(csv.reader(file), [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a CSV table ({error}); {REMEDY}") from error
    require_columns(path, columns, head)


def require_columns(path: Path, columns: set[str], found: Collection[str]) -> None:
    """Raise UserError that names those of `columns` that are not `found` in the table."""
    if missing := columns - set(found):
        raise UserError(
            f"{path} has no column {', '.join(sorted(missing))}; it has {', '.join(found) or 'none'}; it is damaged or "
            f"of another version: {REMEDY}"
        )


def existing(path: Path) -> Path:
    """`path` itself. Raises UserError if there is no such file."""
    if not path.is_file():
        raise UserError(f"{path} does not exist; the workflow writes it before it draws the figures")
    return path


def _require(path: Path, content: Any, *names: str) -> None:
    """Raise UserError unless `content`, a part of the file, is a mapping that has all these keys."""
    missing = [name for name in names if name not in content] if isinstance(content, dict) else list(names)
    if missing:
        raise UserError(f"{path} does not say {', '.join(missing)}: it is damaged or of another version; {REMEDY}")
