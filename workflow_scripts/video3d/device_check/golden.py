"""A small network by formula, what it answered on a CPU, and how it learned there.

Weights and clips come from the raw bits of PCG64, which NumPy promises never to change. The values in `golden.json` are
those of Paddle's own kernels on a CPU, in float32; the tests compute the logits again with NumPy alone.
"""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import paddle

from video3d.common.settings import Settings, resolve
from video3d.compute.distributed import SINGLE_PROCESS, ProcessGroup
from video3d.model.resnet3d import ResNet3D, build_network
from video3d.training.mixup import soft_targets
from video3d.training.trainer import Trainer

GOLDEN = Path(__file__).with_name("golden.json")
CLASSES, CLIPS, STEPS = 5, 4, 8
MODEL = {"depth": 10, "width": 4}
CLIP = {"frames": 16, "size": 64}


def golden_values() -> dict[str, list]:
    """Return `logits`, (CLIPS, CLASSES), in evaluation mode, and `losses`, those before each of the STEPS."""
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def uniform(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return float64 values of [0, 1) that are the same on every machine and with every NumPy."""
    bits = np.random.PCG64(seed).random_raw(math.prod(shape)) >> np.uint64(11)
    return (bits * 2.0**-53).reshape(shape)


def golden_settings(**train: object) -> Settings:
    """Return the settings of the small network's training."""
    return resolve({"model": MODEL, "clip": CLIP, "train": train})


def golden_network() -> ResNet3D:
    """Return the small network; each tensor is drawn by the checksum of its name."""
    network = build_network(golden_settings().model.model_dump(), CLASSES)
    for name, tensor in network.state_dict().items():
        values = uniform(zlib.crc32(name.encode()), tuple(tensor.shape))
        if name.endswith("_variance"):
            values = 0.5 + values
        elif len(tensor.shape) > 1:
            inputs = math.prod(tensor.shape[1:]) if len(tensor.shape) == 5 else tensor.shape[0]
            values = (2 * values - 1) * math.sqrt(6 / inputs)
        else:
            values = (1 if ".bn" in f".{name}" and name.endswith("weight") else 0) + 0.2 * (values - 0.5)
        tensor.set_value(values.astype(np.float32))
    return network


def golden_clips(step: int) -> np.ndarray:
    """Return the clips of a step, uint8 (CLIPS, T, H, W, 3), of coarse blocks under fine noise.

    Noise alone makes clips nearly equal to a network, so that batch norm magnifies rounding; in even blocks, rounding
    lets many values at once pass a ReLU or win a maximum.
    """
    frames, side = CLIP["frames"], CLIP["size"]
    blocks = uniform(step, (CLIPS, frames // 4, side // 16, side // 16, 3))
    noise = uniform(STEPS + step, (CLIPS, frames, side, side, 3))
    return (128 * (np.kron(blocks, np.ones((1, 4, 16, 16, 1))) + noise)).astype(np.uint8)


def golden_trainer(
    device: str, threads: int, group: ProcessGroup = SINGLE_PROCESS, precision: str = "float32", fast_cpu: bool = True
) -> Trainer:
    """Return the trainer of the small network, before its first step."""
    settings = golden_settings(precision=precision, fast_cpu=fast_cpu)
    return Trainer(golden_network(), settings.clip, settings.train, device, threads, group)


def learn(trainer: Trainer) -> list[float]:
    """Return the loss before each of the STEPS, of the whole batch; `trainer` changes."""
    losses = []
    for step in range(STEPS):
        labels = (np.arange(CLIPS) + step) % CLASSES
        shards = map(trainer.group.shard, (golden_clips(step), soft_targets(labels, CLASSES)))
        losses.append(trainer.step(*shards, 0.01, step)[0])
    return losses


def write_golden_values() -> None:
    """Compute `golden.json` anew with Paddle's own kernels: python -m video3d.device_check.golden."""
    paddle.set_device("cpu")
    trainer = golden_trainer("cpu", 1, fast_cpu=False)
    values = {"logits": trainer.predict(golden_clips(0)).tolist(), "losses": learn(trainer)}
    GOLDEN.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden_values()
