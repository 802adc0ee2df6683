"""A small network with weights of its own, saved as the training saves them, and exported."""

from pathlib import Path

import numpy as np
import paddle

from video3d.clips.spatial_crops import RESIZING
from video3d.evaluation.exported_model import export_model
from video3d.model.resnet3d import build_network
from video3d.weights.pdparams import save_weights

CLASSES = ["Archery", "Biking", "Bowling"]
CLIP = {"frames": 4, "size": 16, "mean": [0.45, 0.4, 0.38], "std": [0.23, 0.22, 0.24], "input": "rgb"}
MODEL = {"depth": 10, "shortcut": "reference", "width": 4, "cardinality": 1, "dropout": 0.0}


def random_network(model: dict = MODEL, classes: int = len(CLASSES), seed: int = 0) -> paddle.nn.Layer:
    """A network in evaluation mode whose running statistics are not those that it is born with."""
    paddle.seed(seed)
    network = build_network(model, classes)
    rng = np.random.default_rng(seed)
    for name, buffer in network.named_buffers():
        values = rng.uniform(0.5, 1.5, buffer.shape) if name.endswith("_variance") else rng.normal(0, 0.1, buffer.shape)
        buffer.set_value(values.astype(np.float32))
    network.eval()
    return network


def description(model: dict = MODEL, clip: dict = CLIP, classes: list[str] = CLASSES, **facts) -> dict:
    """What every version of the project wrote of its weights, and `facts`."""
    model = {"dropout": 0, "cardinality": 1} | model
    return {"labels": classes, "model": model, "clip": clip, "train": {"sampling": "segments"}, "seed": 1} | facts


def write_weights(path: Path, model: dict = MODEL, clip: dict = CLIP, classes: list[str] = CLASSES, **facts) -> Path:
    """Weights with their description, as training writes them."""
    save_weights(path, random_network(model, len(classes)), description(model, clip, classes, **facts))
    return path


def write_model(
    folder: Path, network: paddle.nn.Layer | None = None, clip: dict = CLIP, classes=CLASSES, **facts
) -> Path:
    """An exported model."""
    folder.mkdir(parents=True)
    metadata = {
        "labels": classes,
        "clip": clip,
        "model": MODEL,
        "frames": {"short_side": 24, "quality": 85},
        "protocol": "segments",
    }
    metadata |= {"resizing": RESIZING} | facts
    export_model(network or random_network(classes=len(classes)), metadata, folder)
    return folder


def random_clips(count: int, clip: dict = CLIP, seed: int = 0) -> np.ndarray:
    """uint8 (N, T, H, W, 3)."""
    shape = (count, clip["frames"], clip["size"], clip["size"], 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
