"""The description of weights: a JSON file beside them, which their SHA-256 ties to them, and its own to what it says."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, model_validator

from video3d.common.documents import SEAL, Complete, Document, read_document, requires, sealed
from video3d.common.errors import UserError
from video3d.common.files import atomic_path, sha256
from video3d.common.settings import ClipSettings, DatasetSettings, FramesSettings, ModelSettings, TrainSettings
from video3d.common.settings_renamed import with_todays_names
from video3d.common.settings_types import UNIQUE, Seed, Sha256, Text, expected

REMEDY = "restore it; beside a file of your own, deleting it helps as well"
NETWORK = ("depth", "shortcut", "width", "cardinality")  # what tensors tell of `model:`, too


def _record(record: dict) -> dict:
    """Return the record of training data as it is. Raises an error unless it has the form that training writes."""
    videos = record.get("videos")
    groups = [group for part in videos.values() for group in part.values()] if _maps(videos, dict) else [None]
    if record.keys() != {"complete", "videos"} or type(record["complete"]) is not bool:
        raise expected("complete and videos")
    if not all(_maps(group, str) for group in groups):
        raise expected("videos by class and group, each with its checksum")
    return record


def _maps(value: Any, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(item, kind) for item in value.values())


class Part(BaseModel):
    """A mapping in a description."""

    model_config = Document.model_config


class Start(Part):
    """The weights that a training started from."""

    source: Text
    sha256: Sha256


class Attempt(Part):
    """The wall time of one attempt at a training, and where it ran."""

    seconds: Annotated[float, Field(ge=0)]
    device: Text


Labels = Annotated[list[Annotated[Text, Field(max_length=200)]], Field(min_length=1, max_length=10_000), UNIQUE]
Versions = dict[str, str]


class Description(Document):
    """What a training says of its weights; versions before this one left out what has a default here."""

    labels: Labels
    model: Complete[ModelSettings]
    clip: Complete[ClipSettings]
    train: Annotated[TrainSettings, requires("sampling")]
    resizing: Text = ""
    seed: Seed
    data: Sha256 = ""
    code: Text = ""
    commit: str | None = None
    versions: Versions = {}
    device: Text = ""
    attempts: list[Attempt] = []
    dataset: DatasetSettings = DatasetSettings()
    frames: FramesSettings = FramesSettings()
    validation_groups: list[int] = []
    history_sha256: Sha256 = ""
    start: Start | None = None
    training_data: Annotated[dict, AfterValidator(_record)] = {}
    sha256: Sha256

    @model_validator(mode="before")
    @classmethod
    def _todays_names(cls, content: Any) -> Any:
        return with_todays_names(content) if isinstance(content, dict) else content


def description_path(weights: Path) -> Path:
    """Return where the description of these weights is kept, whether or not there is one."""
    return weights.with_suffix(".json")


def write_description(weights: Path, checksum: str, metadata: Mapping[str, Any]) -> None:
    """Write `metadata` beside the weights whose SHA-256 is `checksum`, tied to them and to itself."""
    with atomic_path(description_path(weights)) as beside:
        beside.write_text(sealed({**metadata, "sha256": checksum}), encoding="utf-8")


def read_description(path: Path) -> dict[str, Any]:
    """Return what the description of the weights at `path` says; an empty dict if there is none.

    If it describes other weights, which were there before, the dict is empty too and the log says so, as it says of a
    description without a checksum of its own. Raises UserError if it is no description at all, or was changed.
    """
    beside = description_path(path)
    if not beside.is_file():
        return {}
    description = read_document(beside, Description, REMEDY)
    if description["sha256"] != sha256(path):
        logging.warning("%s describes other weights than %s: ignored", beside, path.name)
        return {}
    if SEAL not in description:
        logging.warning("%s is of an early version and has no checksum: nobody knows whether it was changed", beside)
    return description


def require_same_network(path: Path, described: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raise UserError if the description of weights tells of another network, or other classes, than their tensors."""
    for key in NETWORK:
        if described and described["model"][key] != found["model"][key]:
            raise UserError(
                f"{description_path(path)} says model: {key}: {described['model'][key]}, but the weights beside it are "
                f"of {found['model'][key]}; {REMEDY}"
            )
    if described and len(described["labels"]) != found["num_classes"]:
        raise UserError(
            f"{description_path(path)} names {len(described['labels'])} classes, but the weights beside it know "
            f"{found['num_classes']}; {REMEDY}"
        )
