"""metadata.json of an exported model: what its clips and classes are, and where its weights come from."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from video3d.common.documents import (
    LATER,
    SEAL,
    Complete,
    Document,
    Labels,
    Part,
    Start,
    Versions,
    read_document,
    requires,
)
from video3d.common.settings import ClipSettings, FramesSettings, ModelSettings, Protocol, TrainSettings
from video3d.common.settings_types import Seed, Sha256, Text, expected

PROGRAM, PARAMETERS, METADATA = "model.json", "model.pdiparams", "metadata.json"
UNCHECKED = {"origin": "unchecked", "training_data_known": None}  # weights that check_weights.py has not seen
Number = Annotated[int, Field(ge=0)] | None


class Origin(Document):
    """What check_weights.py finds out about weights: where they come from, and what they have seen of the test."""

    origin: Literal["given", "trained", "replaced", "unchecked"] = LATER
    source: Text = LATER
    sha256: Sha256 = LATER
    made_by: Text = LATER
    classes_named: bool = LATER
    training_data_known: bool | None = LATER
    test_videos: Number = LATER
    test_videos_trained_on: Number = LATER
    test_groups: Number = LATER
    test_groups_trained_on: Number = LATER
    videos_trained_on: Annotated[list[str], Field(fail_fast=True)] = LATER
    groups_trained_on: Annotated[
        list[Annotated[list[str | int], Field(min_length=2, max_length=2)]], Field(fail_fast=True)
    ] = LATER
    start: Start | None = LATER
    file_state: Text | None = LATER
    replacement: str = LATER

    @model_validator(mode="after")
    def _tells_what_is_known(self) -> "Origin":
        names = {"test_videos", "test_groups", "videos_trained_on", "groups_trained_on"}
        if self.training_data_known and not names <= self.model_fields_set:
            raise expected(f"also {', '.join(sorted(names))}")
        return self


class Training(Part):
    """How the weights were trained, of what their description says."""

    train: TrainSettings = LATER
    seed: Seed = LATER
    data: Sha256 = LATER
    commit: str | None = LATER
    versions: Versions = LATER
    start: Start | None = LATER


class Metadata(Document):
    """What export.py writes of a model; versions before this one left out what is LATER."""

    labels: Labels
    clip: Complete[ClipSettings]
    model: Complete[ModelSettings]
    frames: Complete[FramesSettings]
    resizing: Text = LATER
    protocol: Protocol
    weights: Origin = LATER
    training: Training = LATER
    versions: Versions = LATER
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
