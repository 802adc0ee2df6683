"""Evaluation: the exported network on each engine, beside the eager network and beside PyTorch, all on the CPU.

The full ResNet-18 of the reference recipe, 101 classes, clips of 16 × 112 × 112 pixels, uint8 in, logits out, every
core. The ways take turns; the median round of each counts. `eager` is Paddle as it comes, `eager, MKL` the same with
the setting for AMD processors that this project makes (elsewhere it changes nothing). PyTorch, where it is installed,
computes the same network with the same weights. The largest difference of every way's logits from those of `eager` is
printed.

    python bench/evaluation.py [--clips 16] [--rounds 3]
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
import paddle
from paddle.base import core

from video3d.compute.device import use_device
from video3d.evaluation.exported_model import export_model
from video3d.evaluation.predictor import Predictor
from video3d.model.normalised_model import NormalisedModel
from video3d.model.resnet3d import build_network

CORES = len(os.sched_getaffinity(0))
CLASSES = 101
MODEL = {"depth": 18, "shortcut": "reference", "width": 64, "cardinality": 1}
CLIP = {"frames": 16, "size": 112, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
Way = Callable[[np.ndarray], np.ndarray]


@cache
def random_network() -> paddle.nn.Layer:
    """The network with random weights and statistics, in evaluation mode."""
    paddle.seed(0)
    network = build_network(MODEL, CLASSES)
    rng = np.random.default_rng(0)
    for name, buffer in network.named_buffers():
        values = rng.uniform(0.5, 1.5, buffer.shape) if name.endswith("_variance") else rng.normal(0, 0.1, buffer.shape)
        buffer.set_value(values.astype(np.float32))
    network.eval()
    return network


def eager(clips: np.ndarray) -> np.ndarray:
    """The network as training and validation compute it."""
    classifier = NormalisedModel(random_network(), CLIP)
    classifier.eval()
    with paddle.no_grad():
        return classifier(paddle.to_tensor(clips)).numpy()


def eager_as_it_comes() -> Way:
    """The same in a process of its own that has not called `use_device`, which makes the setting for AMD processors."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), use_all_cores)
    pool.submit(os.getpid).result()
    return lambda clips: pool.submit(eager, clips).result()


def use_all_cores() -> None:
    """Let Paddle's own mathematics use every core."""
    core.set_num_threads(CORES)


def pytorch(network: paddle.nn.Layer) -> Way:
    """The same network in PyTorch's eager mode, without gradients."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(CORES)
    tensors = {name: torch.from_numpy(value.numpy()) for name, value in network.state_dict().items()}
    mean, std = (torch.tensor(CLIP[name]).reshape(1, 3, 1, 1, 1) * 255 for name in ("mean", "std"))

    def convolve(x, name: str, stride: int, size: int):
        # "same" padding: as many outputs as ceil(inputs / stride), the odd row or frame at the end.
        missing = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in x.shape[:1:-1]]
        x = F.pad(x, [side for m in missing for side in (m // 2, m - m // 2)])
        return F.conv3d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], stride)

    def normalise(x, name: str):
        statistics_and_parameters = (tensors[f"{name}.{part}"] for part in ("_mean", "_variance", "weight", "bias"))
        return F.batch_norm(x, *statistics_and_parameters)

    def block(x, name: str, stride: int):
        y = F.relu(normalise(convolve(x, f"{name}.conv1", stride, 3), f"{name}.bn1"))
        y = normalise(convolve(y, f"{name}.conv2", 1, 3), f"{name}.bn2")
        return F.relu(y + normalise(convolve(x, f"{name}.downsample.0", stride, 1), f"{name}.downsample.1"))

    @torch.inference_mode()
    def predict(clips: np.ndarray) -> np.ndarray:
        x = (torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float() - mean) / std
        x = F.relu(normalise(F.conv3d(x, tensors["conv1.weight"], None, (1, 2, 2), 3), "bn1"))
        x = F.max_pool3d(x, 3, 2, 1)
        for stage in (1, 2, 3, 4):
            x = block(block(x, f"layer{stage}.0", 1 if stage == 1 else 2), f"layer{stage}.1", 1)
        return (x.mean((2, 3, 4)) @ tensors["fc.weight"] + tensors["fc.bias"]).numpy()

    return predict


def measure(ways: dict[str, Way], clips: np.ndarray, rounds: int) -> dict[str, float]:
    """Clips per second of each way, the median of its rounds; prints them with the equality of the logits."""
    expected = ways["eager"](clips)
    differences = {name: abs(way(clips) - expected).max() for name, way in ways.items()}  # also the warm-up
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way(clips)
            times[name].append(time.perf_counter() - start)
    rates = {name: len(clips) / statistics.median(seconds) for name, seconds in times.items()}
    print(f"logits up to {abs(expected).max():.1f}")
    for name, rate in rates.items():
        rounds_of_it = ", ".join(f"{seconds:.2f} s" for seconds in times[name])
        print(f"{name:10} {rate:6.2f} clips/s  largest difference {differences[name]:.1e}  rounds: {rounds_of_it}")
    return rates


def main() -> None:
    """Parse the arguments, measure in turns, print the rates and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=16, help="clips in a batch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way (default: %(default)s)")
    arguments = parser.parse_args()
    ways = {"eager": eager_as_it_comes(), "eager, MKL": eager}
    use_device("cpu", CORES)
    network = random_network()
    with tempfile.TemporaryDirectory() as folder:
        export_model(network, {"labels": [str(label) for label in range(CLASSES)], "clip": CLIP}, Path(folder))
        for engine in ("plain", "onednn"):
            ways[engine] = Predictor(folder, engine, "cpu", CORES)
        default = Predictor(folder, "auto", "cpu", CORES).engine
    try:
        ways["PyTorch"] = pytorch(network)
    except ImportError:
        print("PyTorch is not installed: no ratio to it")
    shape = (arguments.clips, CLIP["frames"], CLIP["size"], CLIP["size"], 3)
    rates = measure(ways, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), arguments.rounds)
    sizes = f"ResNet-18, {CLIP['frames']}×{CLIP['size']}×{CLIP['size']}, batch {arguments.clips}, {CORES} cores"
    for name, other in (("evaluate_vs_eager", "eager"), ("evaluate_vs_pytorch", "PyTorch")):
        if other in rates:
            what = f"exported network with {default} over {other} network, {sizes}"
            print(f"ratio {name} {rates[default] / rates[other]:.2f}  ({what})")


if __name__ == "__main__":
    main()
