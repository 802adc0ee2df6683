"""Whether a device computes what a CPU computed: each function is one check, and takes the device as first argument."""

import tempfile
from pathlib import Path

import numpy as np
import paddle

from video3d.clips.spatial_crops import RESIZING
from video3d.common.settings import resolve
from video3d.compute.device import use_device
from video3d.compute.distributed import ProcessGroup, run_in_group
from video3d.device_check.golden import (
    CLASSES,
    CLIPS,
    golden_clips,
    golden_network,
    golden_settings,
    golden_trainer,
    golden_values,
    learn,
)
from video3d.device_check.rows import OK, SKIPPED, WRONG, Finding
from video3d.evaluation.engines import misplaced_engine, missing_engine
from video3d.evaluation.exported_model import export_model
from video3d.evaluation.predictor import Predictor

# Largest difference as a part of the largest golden value. Convolutions of a GPU may round factors to the 10 bits of
# TF32; bfloat16 has 7 bits, and eight steps magnify what they lose.
TOLERANCE = {"cpu": 0.001, "gpu": 0.02}
HALF_TOLERANCE = 0.1
MEMBERS = 2


def compare(found: object, expected: object, tolerance: float, than: str) -> Finding:
    """Return whether all numbers agree: the largest difference, as a part of the largest expected magnitude."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    verdict = OK if difference <= tolerance else WRONG  # a difference that is no number is wrong, too
    text = f"differs by {difference:.1e} from {than}; allowed {tolerance:g}"
    return Finding(verdict, text, {"found": found.tolist(), "expected": expected.tolist(), "difference": difference})


def logits(device: str, threads: int) -> Finding:
    """Compare the answers of the small network with the golden ones."""
    device = use_device(device, threads)
    found = golden_trainer(device, threads).predict(golden_clips(0))
    return compare(found, golden_values()["logits"], TOLERANCE[device], "the golden logits")


def losses(device: str, threads: int) -> Finding:
    """Compare the first training losses with the golden ones."""
    device = use_device(device, threads)
    found = learn(golden_trainer(device, threads))
    return compare(found, golden_values()["losses"], TOLERANCE[device], "the golden losses")


def half_precision(device: str, threads: int, precision: str) -> Finding:
    """Compare the first training losses in bfloat16 or float16 with those in float32."""
    device = use_device(device, threads)
    if device == "cpu":
        return Finding(SKIPPED, "Paddle mixes precisions on GPUs only")
    supported = {"bfloat16": paddle.amp.is_bfloat16_supported, "float16": paddle.amp.is_float16_supported}
    if not supported[precision]():
        return Finding(SKIPPED, f"this GPU has no {precision}")
    whole, half = (learn(golden_trainer(device, threads, precision=name)) for name in ("float32", precision))
    return compare(half, whole, HALF_TOLERANCE, "the losses in float32")


def two_processes(device: str, threads: int) -> Finding:
    """Compare the first training losses of two processes, NCCL on GPUs and gloo on CPUs, with the golden ones."""
    if device == "gpu" and paddle.device.cuda.device_count() == 1:
        return Finding(SKIPPED, "there is one GPU")
    device = use_device(device, threads, MEMBERS)
    with tempfile.TemporaryDirectory() as temporary:
        run_in_group(MEMBERS, device, _learn_in_group, device, max(1, threads // MEMBERS), Path(temporary))
        found = [np.load(Path(temporary) / f"{rank}.npy") for rank in range(MEMBERS)]
    expected = [golden_values()["losses"]] * MEMBERS
    return compare(found, expected, TOLERANCE[device], "the golden losses of one process")


def _learn_in_group(group: ProcessGroup, device: str, threads: int, folder: Path) -> None:
    np.save(folder / f"{group.rank}.npy", learn(golden_trainer(device, threads, group)))


def engine(device: str, threads: int, name: str) -> Finding:
    """Compare the answers of the exported small network with the golden ones; `device` is "cpu" or "gpu".

    One engine a process: a second one would wait for the GPU that the first holds.
    """
    if reason := misplaced_engine(name, device) or missing_engine(name):
        return Finding(SKIPPED, reason.removeprefix("evaluate: ").partition(";")[0])
    paddle.set_device("cpu")  # to export; the predictor takes its device itself
    with tempfile.TemporaryDirectory() as temporary:
        export_untrained(golden_network(), golden_settings().model_dump(), CLASSES, Path(temporary))
        predictor = Predictor(temporary, name, device, threads, CLIPS)
        found = predictor(golden_clips(0))
    return compare(found, golden_values()["logits"], TOLERANCE[predictor.device], "the golden logits")


def export_untrained(network: paddle.nn.Layer, settings: dict, classes: int, folder: Path) -> None:
    """Export a network that only stands for a trained one."""
    metadata = {
        "labels": [f"class {label}" for label in range(classes)],
        "clip": settings["clip"],
        "model": settings["model"],
        "frames": resolve({}).frames.model_dump(),
        "protocol": "segments",
        "resizing": RESIZING,
    }
    export_model(network, metadata, folder)


def same_bits(device: str, threads: int, switch: bool) -> Finding:
    """Train twice; with cuDNN's switch for deterministic kernels, or without, where other bits are no fault."""
    device = use_device(device, threads)
    if switch and device == "cpu":
        return Finding(SKIPPED, "the switch is cuDNN's")
    if switch:
        paddle.set_flags({"FLAGS_cudnn_deterministic": True})
    trainers = [golden_trainer(device, threads) for _ in range(2)]
    for trainer in trainers:
        learn(trainer)
    first, second = (trainer.weights() for trainer in trainers)
    same = all(np.array_equal(first[name], second[name]) for name in first)
    demanded = switch or device == "cpu"
    text = "two trainings gave " + ("the same bits" if same else "different bits")
    return Finding(OK if same or not demanded else WRONG, text, {"same": same})
