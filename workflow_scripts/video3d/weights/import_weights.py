"""Weights from elsewhere: which network a file is of, its tensors under our names, and the input it was trained on.

Read are our own `.pdparams`, those of the reference implementation, the files of the paper's authors (`.pth`, see
video3d.weights.torch_reader) and safetensors with any of their names. Nothing in a file is executed.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import paddle

from video3d.common.disk import disk_faults_are_errors
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.common.printable import few
from video3d.common.settings import ClipSettings, ModelSettings
from video3d.model.architecture import BLOCKS_PER_STAGE, SHALLOWEST_BOTTLENECK
from video3d.model.resnet3d import build_network
from video3d.weights.description import read_description, require_same_network
from video3d.weights.paddle_reader import read_paddle
from video3d.weights.pdparams import HEAD, compare_state_dict
from video3d.weights.safetensors_reader import is_safetensors, read_safetensors
from video3d.weights.torch_reader import is_torch, read_torch

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "input": "rgb"}
# The paper's networks saw 0..255 minus ActivityNet's mean, undivided; here values are in 0..1 before normalisation.
ACTIVITYNET = {
    "mean": [114.7748 / 255, 107.7354 / 255, 99.4750 / 255],
    "std": [1 / 255, 1 / 255, 1 / 255],
    "input": "rgb",
}
KINETICS = {"mean": [0.4345, 0.4051, 0.3775], "std": [0.2768, 0.2713, 0.2737], "input": "rgb"}
# Numbers of classes of the files that the paper's authors published: those of the paper (Kinetics-400, fine-tuned on
# UCF101 and HMDB51), and those of 2020 (Kinetics-700, Moments in Time, STAIR Actions and their unions).
CLASSES_2018 = (400, 101, 51)
CLASSES_2020 = (700, 1039, 800, 1139, 339, 439, 100)
WIDEST = 2  # bytes of a number in memory for one in a file
NAMES_THAT_TELL = ("conv1.weight", "layer1.0.conv2.weight")  # without them nobody knows how wide a network is

REFERENCE_NAMES = (
    (r"backbone\.stem\.0\.conv\.weight", "conv1.weight"),
    (r"backbone\.stem\.0\.bn\.(\w+)", r"bn1.\1"),
    (r"backbone\.(layer\d\.\d+)\.block\.0\.conv\.(\w+)", r"\1.conv1.\2"),
    (r"backbone\.(layer\d\.\d+)\.block\.0\.bn\.(\w+)", r"\1.bn1.\2"),
    (r"backbone\.(layer\d\.\d+)\.block\.1\.(\w+)", r"\1.conv2.\2"),
    (r"backbone\.(layer\d\.\d+)\.block\.2\.(\w+)", r"\1.bn2.\2"),
    (r"backbone\.(layer\d\.\d+\.downsample\.[01]\.\w+)", r"\1"),
    (r"head\.fc\.(weight|bias)", r"fc.\1"),
)


def load_any(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the tensors of a weights file under the names of our networks, and what is known about them.

    The metadata have these keys, and those of the description if the weights are our own:

    - `model`: which network it is, as in the settings.
    - `num_classes`: how many classes it tells apart, None without a classifier.
    - `source`: whose it is.
    - `clip`: mean and std of its input, if the file is one of the known ones.
    - `sha256`: that of the file.

    Raises UserError if the file is absent, damaged, would run a program when unpickled, holds infinite values or no
    numbers, or is of no network of this project; every tensor is accounted for.
    """
    path = Path(path)
    with disk_faults_are_errors(path):
        published, metadata = _read(path)
    if sum(values.nbytes for values in published.values()) > WIDEST * path.stat().st_size:
        raise UserError(f"{path} is no file of weights: its tensors share their numbers, and are larger than it is")
    tensors = paddle_tensors(published, path)
    require_finite(tensors, path)
    checksum = metadata.get("sha256") or sha256(path)
    network = identify_network(tensors, path)
    if strangers := [name for name, values in tensors.items() if values.dtype.kind != "f"]:
        raise UserError(f"{path} is no file of weights: {few(strangers[:1])} holds no floating-point numbers")
    require_same_network(path, metadata, network)
    return tensors, network | _origin(published) | metadata | {"sha256": checksum}


def paddle_tensors(published: Mapping[str, np.ndarray], path: str | Path) -> dict[str, np.ndarray]:
    """Return published tensors under the names of our networks, laid out as Paddle has them.

    `path` is only for messages. Raises UserError for a name that the reference implementation has not, and for two
    tensors with one name.
    """
    if _is_reference(published):
        return _unique(((_our_name(name, path), values) for name, values in published.items()), path)
    if not _is_torch(published):
        return dict(published)
    # The counter is PyTorch's; Paddle has none, and inference needs none.
    counted = (name for name, values in published.items() if name.endswith("num_batches_tracked") and values.size == 1)
    kept = published.keys() - set(counted)
    tensors = _unique(((_paddle_name(name), values) for name, values in published.items() if name in kept), path)
    return {name: values.T if name == "fc.weight" else values for name, values in tensors.items()}


def _paddle_name(name: str) -> str:
    return re.sub(r"running_var$", "_variance", re.sub(r"running_mean$", "_mean", name.removeprefix("module.")))


def _unique(named: Iterable[tuple[str, np.ndarray]], path: str | Path) -> dict[str, np.ndarray]:
    tensors: dict[str, np.ndarray] = {}
    for name, values in named:
        if name in tensors:
            raise UserError(f"{path} holds two tensors for {few([name])}, under different names; keep one of them")
        tensors[name] = values
    return tensors


def identify_network(tensors: Mapping[str, np.ndarray], path: str | Path) -> dict:
    """Return which network tensors under our names are of: `model`, as in the settings, and `num_classes`.

    Without a classifier, as of a network that was trained for something else, `num_classes` is None.
    Raises UserError, naming the tensors at fault, if that is no network of this project.
    """
    try:
        blocks = tuple(
            1 + max(int(name.split(".")[1]) for name in tensors if name.startswith(f"layer{stage}."))
            for stage in (1, 2, 3, 4)
        )
        width = tensors["conv1.weight"].shape[0]
        inner, inner_per_group = tensors["layer1.0.conv2.weight"].shape[:2]
        num_classes = tensors["fc.bias"].shape[0] if "fc.bias" in tensors else None
        bottleneck = "layer1.0.conv3.weight" in tensors
        depth = next(
            d for d, b in BLOCKS_PER_STAGE.items() if b == blocks and (d >= SHALLOWEST_BOTTLENECK) == bottleneck
        )
        shortcut = "reference" if "layer1.0.conv1.bias" in tensors else "A"
        if shortcut == "A" and any(".downsample." in name for name in tensors):
            shortcut = "B"
        model = {"depth": depth, "shortcut": shortcut, "width": width, "cardinality": inner // inner_per_group}
        with paddle.LazyGuard():  # only names and shapes are wanted
            network = build_network(model, num_classes or 1)
    except (KeyError, IndexError, ValueError, StopIteration, ZeroDivisionError, UserError) as error:
        missing = [name for name in NAMES_THAT_TELL if name not in tensors]
        raise UserError(
            f"{path} is of no network of this project; its first tensors: {few(list(tensors))}"
            + (f"; missing: {', '.join(missing)}" if missing else "")
        ) from error
    diff = compare_state_dict(network, tensors)
    if num_classes is None:
        diff = diff._replace(missing=[name for name in diff.missing if name not in HEAD])
    if any(diff):
        raise UserError(f"{path} looks like weights of model: {model}, but does not fit it: {diff}")
    return {"model": model, "num_classes": num_classes}


def require_finite(tensors: Mapping[str, np.ndarray], path: str | Path) -> None:
    """Raise UserError, which names the tensors, if some hold infinite values or no numbers."""
    # The least and the greatest value are no numbers if any is none, and no copy of a large tensor is needed.
    wrong = [
        name
        for name, values in tensors.items()
        if values.dtype.kind == "f" and not np.isfinite([values.min(), values.max()]).all()
    ]
    if wrong:
        raise UserError(
            f"{path} holds infinite values or no numbers (NaN) in {few(wrong)}: the file is damaged, or its training "
            "came to nothing; look at the loss in history.csv, and take other weights or train again"
        )


def check_settings(path: str | Path, metadata: Mapping, model: ModelSettings, clip: ClipSettings) -> None:
    """Raise UserError, saying what to set, if weights are of another network or saw another input than settings say.

    A file that does not tell its input is taken to have seen that of the settings; a line in the log says so.

    Args:
        path: the file, for messages.
        metadata: those of `load_any`.
        model: that section of the settings.
        clip: that section of the settings.
    """
    wanted = {"model": {name: metadata["model"][name] for name in ("depth", "shortcut", "width", "cardinality")}}
    fits = all(getattr(model, name) == value for name, value in wanted["model"].items())
    if "clip" in metadata:
        known = metadata["clip"]
        numbers = {name: [round(value, 6) for value in known[name]] for name in ("mean", "std")}
        wanted["clip"] = numbers | {"input": known["input"]}
        fits = fits and all(np.allclose(getattr(clip, name), value, atol=1e-5) for name, value in numbers.items())
        fits = fits and clip.input == known["input"]
    else:
        logging.warning(
            "%s does not tell its input's normalisation; taken from the config: mean %s, std %s of RGB in 0..1",
            path, clip.mean, clip.std,
        )  # fmt: skip
    if not fits:
        lines = "\n".join(f"  {section}: {json.dumps(values)}" for section, values in wanted.items())
        raise UserError(f"{path} is of another network or another input than the settings say; set\n{lines}")


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the tensors as named in the file, and the metadata beside it."""
    if not path.is_file():
        raise UserError(f"there are no weights at {path}")
    if is_torch(path):
        return read_torch(path), {}
    if is_safetensors(path):
        return read_safetensors(path), {}
    return read_paddle(path), read_description(path)


def _our_name(name: str, path: Path) -> str:
    """Return our name for a tensor of the reference implementation."""
    for pattern, replacement in REFERENCE_NAMES:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    raise UserError(f"{path} holds {few([name])}, which the reference implementation's ResNet-18 does not have")


def _is_reference(published: Mapping[str, np.ndarray]) -> bool:
    return any(name.startswith("backbone.") for name in published)


def _is_torch(published: Mapping[str, np.ndarray]) -> bool:
    return any(name.endswith("running_mean") for name in published)


def _origin(published: Mapping[str, np.ndarray]) -> dict:
    """Return whose the tensors are, by their names, and the normalisation of their input if that is known."""
    if _is_reference(published):
        return {"source": "reference implementation", "clip": IMAGENET}
    if not _is_torch(published):
        return {"source": "this project"}
    # The files of 2018 precede PyTorch 0.4.1, which added a counter to batch norm; those of 2020 have it.
    counted = any(name.endswith("num_batches_tracked") for name in published)
    classes = [len(values) for name, values in published.items() if name.endswith("fc.bias")]
    if classes and classes[0] in (CLASSES_2020 if counted else CLASSES_2018):
        return {"source": "PyTorch", "clip": KINETICS if counted else ACTIVITYNET}
    return {"source": "PyTorch"}
