"""metadata.json of an exported model: what its clips and classes are, and where its weights come from."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from video3d.common.documents import SEAL, Complete, Document, read_document, requires
from video3d.common.settings import ClipSettings, FramesSettings, ModelSettings, Protocol, TrainSettings
from video3d.common.settings_types import Seed, Sha256, Text
from video3d.weights.description import Labels, Part, Start, Versions

PROGRAM, PARAMETERS, METADATA = "model.json", "model.pdiparams", "metadata.json"
UNCHECKED = {"origin": "unchecked", "training_data_known": None}  # weights that check_weights.py has not seen
Number = Annotated[int, Field(ge=0)] | None


class Origin(Document):
    """What check_weights.py finds out about weights: where they come from, and what they have seen of the test."""

    origin: Literal["given", "trained", "replaced", "unchecked"] = "unchecked"
    source: Text = ""
    sha256: Sha256 = ""
    made_by: Text = ""
    classes_named: bool = True
    training_data_known: bool | None = None
    test_videos: Number = None
    test_videos_trained_on: Number = None
    test_groups: Number = None
    test_groups_trained_on: Number = None
    videos_trained_on: list[str] = []
    groups_trained_on: list[Annotated[list[str | int], Field(min_length=2, max_length=2)]] = []
    start: Start | None = None
    file_state: Text | None = None
    replacement: str = ""


class Training(Part):
    """How the weights were trained, of what their description says."""

    train: TrainSettings = TrainSettings()
    seed: Seed = 0
    data: Sha256 = ""
    commit: str | None = None
    versions: Versions = {}
    start: Start | None = None


class Metadata(Document):
    """What export.py writes of a model; versions before this one left out what has a default here."""

    labels: Labels
    clip: Complete[ClipSettings]
    model: Complete[ModelSettings]
    frames: Complete[FramesSettings]
    resizing: Text = ""
    protocol: Protocol
    weights: Origin = Origin()
    training: Training = Training()
    versions: Versions = {}
    files: Annotated[dict[str, Sha256], requires(PARAMETERS)]


def read_model_metadata(path: Path) -> dict[str, Any]:
    """Return what the file says; weights of a model that was exported before there was a check are `UNCHECKED`.

    Raises UserError if the file is missing or damaged.
    """
    metadata = read_document(path, Metadata, remedy="delete it and export the model again")
    return metadata | {"weights": UNCHECKED | metadata.get("weights", {})}


def read_origin(path: Path) -> dict[str, Any]:
    """Return what check_weights.py wrote. Raises UserError if the file is missing or damaged."""
    origin = read_document(path, Origin, remedy="delete it and run check_weights.py again")
    return UNCHECKED | {name: value for name, value in origin.items() if name != SEAL}
