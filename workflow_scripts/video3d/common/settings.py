"""The settings: what can be set, within which limits, and what it is where nobody sets it.

One model per section of the configuration. The text below a setting says what it means; `make docs` makes
docs/settings.md and the schema for editors out of it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from video3d.common.errors import UserError
from video3d.common.settings_errors import explain
from video3d.common.settings_types import (
    FROM_NULL,
    FROM_TEXT,
    BelowOne,
    ClassName,
    Count,
    CountOrZero,
    Divisor,
    FilePath,
    Group,
    Grouping,
    Items,
    Name,
    NotNegative,
    Number,
    Positive,
    Prose,
    Seed,
    Sha256,
    Size,
    Split,
    SplitKey,
    Switch,
    Text,
    UniqueItems,
    UpToOne,
    expected,
    read_text,
    with_text_keys,
)

Protocol = Literal["segments", "sliding", "uniform"]
PIXELS_OF_A_CLIP = 2**24  # the first features of one are a gigabyte; those of the default are a hundredth


class Section(BaseModel):
    """A group of settings, which nobody changes: neither the settings, nor what is in their lists and mappings."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return read_text(value)


class DatasetSettings(Section):
    """Where the videos come from, and what says which of them train and test."""

    format: Literal["ucf101", "folders", "table"] = "ucf101"
    """ucf101: UCF101's names and lists; folders: own videos, <Class>/<any name> in any container, with splits that are
    drawn; table: own videos that a CSV file lists, with its splits or drawn ones (docs/own-data.md)"""

    name: Name = "ucf101"
    """name of the data set; it lives in resources/<name>/ and data/<name>/"""

    videos: Annotated[Items[Text], Field(min_length=1)] = [
        "https://storage.googleapis.com/thumos14_files/UCF101_videos.zip"
    ]
    """sources of the videos, tried in order: URLs of one archive, a ZIP or RAR on this machine (path or file: URL), or
    a folder of videos, or the CSV file of format table; ~ and $VARIABLES are expanded, and what exists on this machine
    wins over URLs"""

    videos_sha256: Annotated[Sha256 | None, FROM_NULL] = None
    """SHA-256 of the archive of videos; required for a URL, checked for a local archive if given"""

    lists: Annotated[Items[Text], Field(min_length=1)] = [
        "https://www.crcv.ucf.edu/data/UCF101/UCF101TrainTestSplits-RecognitionTask.zip"
    ]
    """sources of the official train and test lists, like those of the videos: URLs, a ZIP, or a folder"""

    lists_sha256: Annotated[Sha256 | None, FROM_NULL] = None
    """SHA-256 of the archive of lists; required for a URL, checked for a local archive if given"""

    classes: Annotated[UniqueItems[ClassName], AfterValidator(sorted)] = []
    """the classes used, in any order; empty means all: the 101 of UCF101, or the class folders of own videos; only the
    videos of these are fetched from a remote ZIP of UCF101"""

    groups: Grouping = ""
    """format folders: what tells the recording that a video is cut from, as all videos of one are either trained on or
    tested: a regular expression whose first parentheses match its name in the path below the class folder, or a number,
    the level of the folder below the class folder that is named after it; empty: each video is one of its own"""

    folds: Annotated[int, Field(ge=2, le=99), FROM_TEXT] = 3
    """own videos: how many splits are drawn, where a table brings none; each tests on one part of the groups and
    trains on all others"""

    draw_seed: Seed = 0
    """own videos: another seed draws other splits"""

    faulty_videos: Literal["stop", "leave_out"] = "stop"
    """what to do about listed videos that are missing, unreadable or damaged: stop before any training, or leave_out,
    which goes on without them and counts them in the results"""


class FramesSettings(Section):
    """How the frames are extracted."""

    short_side: Annotated[int, Field(ge=16, le=4320), FROM_TEXT] = 240
    """pixels of the shorter side of a stored frame; the aspect ratio is kept; 240 is that of UCF101's videos, so that
    pictures are resized once, when they are cropped; 170 takes two thirds of the disk and is the smallest at which no
    crop of the reference recipe is enlarged (0.66 x 170 = 112), but pictures are softer than the reference's"""

    quality: Annotated[int, Field(ge=1, le=100), FROM_TEXT] = 85
    """JPEG quality as libjpeg has it, 1 to 100 (best); on real clips at short side 240: 85 takes 14.1 KB per frame, 90
    takes 17.1, 95 takes 23.5"""


class ModelSettings(Section):
    """The network."""

    depth: Annotated[Literal[10, 18, 34, 50, 101, 152, 200], FROM_TEXT] = 18
    """number of layers of the residual network"""

    shortcut: Literal["reference", "A", "B"] = "reference"
    """reference: 1x1x1 convolution with bias in every block; A: zero-padded identity; B: 1x1x1 convolution where the
    shape changes"""

    width: Size = 64
    """channels of the first stage; the later ones have 2, 4 and 8 times as many"""

    cardinality: Size = 1
    """groups of the 3x3x3 convolutions (32 makes a ResNeXt of depth 50 or more)"""

    dropout: BelowOne = 0.0
    """probability of dropping a feature before the last layer"""


class ClipSettings(Section):
    """What the network sees, in training and in evaluation."""

    frames: Size = 16
    """frames in a clip"""

    size: Annotated[int, Field(ge=8, le=1024), FROM_TEXT] = 112
    """height and width of a clip, in pixels"""

    mean: Annotated[Items[Number], Field(min_length=3, max_length=3)] = [0.485, 0.456, 0.406]
    """subtracted from red, green and blue in 0..1"""

    std: Annotated[Items[Divisor], Field(min_length=3, max_length=3)] = [0.229, 0.224, 0.225]
    """divides red, green and blue after the mean is subtracted"""

    input: Literal["rgb", "difference"] = "rgb"
    """rgb: the frames; difference: what changes from each frame to the next"""

    @model_validator(mode="after")
    def _can_be_seen(self) -> "ClipSettings":
        if self.input == "difference" and self.frames < 2:
            raise expected("at least two frames for input: difference")
        if self.frames * self.size**2 > PIXELS_OF_A_CLIP:
            raise expected(f"a clip of at most {PIXELS_OF_A_CLIP:,} pixels, which are frames times size times size")
        return self


class TrainSettings(Section):
    """How the network is trained."""

    sampling: Literal["segments", "consecutive"] = "segments"
    """segments: one frame from each of as many equal parts of the video as a clip has frames; consecutive: adjacent
    frames"""

    crop: Literal["multi_scale", "corners", "random_resized", "centre"] = "multi_scale"
    """multi_scale: the reference's crops; corners: the paper's; random_resized: any area and ratio; centre: always the
    centre, as in evaluation"""

    flip: UpToOne = 0.5
    """probability of mirroring a clip"""

    colour_jitter: UpToOne = 0.0
    """largest relative change of a clip's brightness, contrast and saturation"""

    mixup: NotNegative = 0.0
    """mixes pairs of clips; parameter of the beta distribution of their shares, 0: never"""

    cutmix: NotNegative = 0.0
    """pastes a rectangle of another clip; parameter of the beta distribution of its area, 0: never"""

    label_smoothing: BelowOne = 0.0
    """share of the target that is spread over all classes"""

    class_weights: Literal["none", "balanced"] = "none"
    """none: every training video counts the same in the loss, so classes with many videos count more; balanced: every
    class counts the same, whatever its number of videos"""

    batch_size: Count = 64
    """clips in a training batch, on all devices together"""

    epochs: Count = 25
    """passes over the training list"""

    learning_rate: Positive = 0.01
    """the highest learning rate"""

    schedule: Literal["step", "cosine", "plateau"] = "step"
    """step: divided by 10 at each epoch of `milestones`; cosine: falls to 0 over all steps; plateau: divided by 10 when
    the loss of the validation groups stands still for more than 10 epochs"""

    milestones: Items[Count] = [16, 21]
    """epochs (from 1) from which the learning rate of schedule: step is divided by 10 once more"""

    warmup_epochs: CountOrZero = 0
    """epochs in which the learning rate grows linearly to its highest"""

    momentum: BelowOne = 0.9
    """momentum of the optimizer, which has no dampening"""

    weight_decay: NotNegative = 0.001
    """L2 penalty"""

    decay_norms_and_biases: Switch = True
    """whether the L2 penalty is on the parameters of batch norm and on biases too"""

    max_grad_norm: NotNegative = 0.0
    """largest L2 norm of all gradients together; 0: no limit"""

    ema_decay: BelowOne = 0.0
    """decay of the exponential moving average of the weights that is kept instead of the last weights; 0: none"""

    weights: Annotated[FilePath | None, FROM_NULL] = None
    """weights to start from (.pdparams, .pth or .safetensors); the classifier is a new one unless theirs is known to be
    of the same classes"""

    lr_multipliers: Annotated[dict[str, NotNegative], FROM_TEXT] = {}
    """factors of the learning rate by stage (conv1, bn1, layer1 … layer4, fc), 0 to freeze it; 1 if left out"""

    gradient_accumulation_steps: Count = 1
    """parts in which a batch goes through the network, to save memory"""

    devices: Count = 1
    """processes that share every batch, each with a GPU of its own if there are GPUs; as one process with the whole
    batch, but for mixup, cutmix, dropout and gradient_accumulation_steps, which each process does for its share"""

    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """number format of the large operations on a GPU; float16 comes with loss scaling"""

    fast_cpu: Switch = True
    """whether a CPU computes convolutions with video3d.compute.cpu_convolution; Paddle's own are slower"""


class UniformViews(Section):
    """The views of protocol uniform."""

    clips: Count = 10
    """evenly spaced clips of each video"""

    flip: Switch = True
    """whether each clip is also shown mirrored"""


class EvaluateSettings(Section):
    """How the trained network is scored."""

    protocols: Annotated[UniqueItems[Protocol], Field(min_length=1)] = ["segments"]
    """segments: one clip of the middle frames of equal parts; sliding: all non-overlapping clips; uniform: evenly
    spaced clips"""

    batch_size: Size = 16
    """clips predicted at once"""

    engine: Literal["auto", "plain", "onednn", "tensorrt"] = "auto"
    """what computes: auto (the fastest measured), plain, onednn (Intel's library, on a CPU), tensorrt (on a GPU)"""

    uniform: UniformViews = Field(default_factory=UniformViews)
    """the views of protocol uniform"""

    weights: Annotated[
        dict[SplitKey, FilePath], FROM_TEXT, Field(json_schema_extra={"additionalProperties": False})
    ] = {}
    """weights to evaluate instead of training, per split: {1: path}"""

    allow_leak: Switch = False
    """whether weights may be evaluated on videos, or groups, that they were trained on, and whether a training may
    start from such weights; every result then says so"""


class PredictSettings(Section):
    """What the target `predict` does."""

    videos: Annotated[FilePath | None, FROM_NULL] = None
    """folder of videos whose action is to be named; the answers are in results/<run>/predictions.csv"""


class ReportSettings(Section):
    """What the report says and shows besides the results of this run."""

    note: Prose = ""
    """a sentence that the report says first, e.g. what these data can and cannot show"""

    compare: UniqueItems[Name] = []
    """names of other runs on the same videos, whose results/<run>/ exist, to compare this one with"""


class Settings(Section):
    """Every setting, with its meaning and its default. Unknown keys are refused."""

    run: Name = "reference"
    """name of the run; its results are in results/<run>/"""

    replace: Switch = False
    """whether finished trainings of this run may be replaced by ones with other settings; for the command line,
    --config replace=true, as a file that says so protects nothing"""

    device: Literal["auto", "gpu", "cpu"] = "auto"
    """auto: the GPU if Paddle can use one, else the CPU; gpu: an error without a usable GPU; cpu"""

    splits: Annotated[UniqueItems[Split], Field(min_length=1)] = [1, 2, 3]
    """which splits of the data set are trained and evaluated, by their numbers"""

    seeds: Annotated[UniqueItems[Seed], Field(min_length=1)] = [10001]
    """one training per split and seed"""

    validation_groups: UniqueItems[Group] = []
    """groups held out of the training list of every class, for those who select or tune; UCF101's are 1 to 25"""

    dataset: DatasetSettings = Field(default_factory=DatasetSettings)
    """where the videos come from, and what says which of them train and test"""

    frames: FramesSettings = Field(default_factory=FramesSettings)
    """how the frames are extracted"""

    model: ModelSettings = Field(default_factory=ModelSettings)
    """the network"""

    clip: ClipSettings = Field(default_factory=ClipSettings)
    """what the network sees, in training and in evaluation"""

    train: TrainSettings = Field(default_factory=TrainSettings)
    """how the network is trained"""

    evaluate: EvaluateSettings = Field(default_factory=EvaluateSettings)
    """how the trained network is scored"""

    predict: PredictSettings = Field(default_factory=PredictSettings)
    """what the target `predict` does"""

    report: ReportSettings = Field(default_factory=ReportSettings)
    """what the report says and shows besides the results of this run"""

    @property
    def trained_splits(self) -> list[int]:
        """The splits that are trained on: those that no weights are given for."""
        return [split for split in self.splits if str(split) not in self.evaluate.weights]


def resolve(given: Mapping[str, Any]) -> Settings:
    """Return all settings: those that are `given`, and the defaults of the others.

    Raises UserError that lists every unknown key (with what may have been meant) and every value out of range.
    """
    try:
        return Settings.model_validate(with_text_keys(given))
    except ValidationError as error:
        lines = "".join(f"\n  - {line}" for line in explain(error, Settings))
        raise UserError(f"the configuration is not valid:{lines}") from None


def parse_settings(text: str) -> dict[str, Any]:
    """Return the sections that are written in `text`, YAML or JSON, or in the YAML file that it names, unchecked.

    Raises UserError if it is neither.
    """
    path = Path(text) if len(text) < 1000 and "{" not in text and "\n" not in text else None
    if path and path.suffix in {".yaml", ".yml", ".json"} and not path.is_file():
        raise UserError(f"settings file {path} does not exist")
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8") if path and path.is_file() else text)
    except yaml.YAMLError as error:
        raise UserError(f"--settings is not valid YAML: {error}") from error
    if not isinstance(given, dict):
        raise UserError(f"--settings must be a mapping of sections or a YAML file with one, not {text!r}")
    return given


def read_settings(text: str) -> Settings:
    """Return all settings for a script's `--settings`; what `text` leaves out has its default.

    Raises UserError if `text` is neither sections of the configuration nor a file with some, or if they are not valid.
    """
    return resolve(parse_settings(text))


def select(settings: Settings, *names: str) -> dict[str, Any]:
    """Return these parts of the settings, such as `train` or `evaluate.engine`, as plain nested mappings."""
    everything, parts = settings.model_dump(), {}
    for name in names:
        *above, last = name.split(".")
        source, target = everything, parts
        for key in above:
            source, target = source[key], target.setdefault(key, {})
        target[last] = source[last]
    return parts


def as_argument(settings: Settings | Mapping[str, Any]) -> str:
    """Return settings, or parts of them, as one line of JSON for `read_settings`.

    Its keys are sorted, so equal settings are equal text.
    """
    plain = settings.model_dump() if isinstance(settings, Settings) else settings
    return json.dumps(plain, sort_keys=True, ensure_ascii=False)
