"""What the description of weights may say."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from video3d.common.documents import LATER, Complete, Document, Labels, Part, Start, Versions, requires
from video3d.common.settings import ClipSettings, DatasetSettings, FramesSettings, ModelSettings, TrainSettings
from video3d.common.settings_renamed import with_todays_names
from video3d.common.settings_types import Seed, Sha256, Text, expected


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


class Attempt(Part):
    """The wall time of one attempt at a training, and where it ran."""

    seconds: Annotated[float, Field(ge=0)]
    device: Text


class Description(Document):
    """What a training says of its weights; versions before this one left out what is LATER."""

    labels: Labels
    model: Complete[ModelSettings]
    clip: Complete[ClipSettings]
    train: Annotated[TrainSettings, requires("sampling")]
    resizing: Text = LATER
    seed: Seed
    data: Sha256 = LATER
    code: Text = LATER
    commit: str | None = LATER
    versions: Versions = LATER
    device: Text = LATER
    attempts: Annotated[list[Attempt], Field(fail_fast=True)] = LATER
    dataset: DatasetSettings = LATER
    frames: FramesSettings = LATER
    validation_groups: list[int | str] = LATER
    history_sha256: Sha256 = LATER
    start: Start | None = LATER
    training_data: Annotated[dict, AfterValidator(_record)] = LATER
    sha256: Sha256

    @model_validator(mode="before")
    @classmethod
    def _todays_names(cls, content: Any) -> Any:
        return with_todays_names(content) if isinstance(content, dict) else content
