"""How fast a device trains and evaluates, how fast frames are loaded, and what memory a batch takes."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import paddle
import simplejpeg

from video3d.clips.clip_reader import open_packs
from video3d.common.settings import resolve
from video3d.compute.device import use_device
from video3d.dataset.split_table import Video
from video3d.device_check.correctness import export_untrained
from video3d.device_check.golden import uniform
from video3d.device_check.rows import OK, SKIPPED, Finding
from video3d.evaluation.predictor import Predictor
from video3d.frames.frame_pack import PackWriter
from video3d.model.resnet3d import build_network
from video3d.training.batches import BatchSource, TrainingData
from video3d.training.mixup import soft_targets
from video3d.training.trainer import Trainer

CLASSES = 101
FULL = {}  # settings: those of the default run
VIDEOS, FRAMES = 8, 64


def describe_device(device: str, threads: int) -> Finding:
    """Name the device and its software."""
    device = use_device(device, threads)
    values = {"device": device, "cores": len(os.sched_getaffinity(0)), "cuda": paddle.version.cuda()}
    if device == "cpu":
        return Finding(OK, f"CPU, {values['cores']} cores", values)
    values["name"] = paddle.device.cuda.get_device_name()
    values["cudnn"] = paddle.version.cudnn()
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        values["driver"] = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError) as error:
        values["driver"] = str(error)
    return Finding(OK, f"{values['name']}, CUDA {values['cuda']}, cuDNN {values['cudnn']}", values)


def rate(work: Callable[[], object], clips: int, seconds: float) -> float:
    """Return clips per second of `work`, repeated for at least so many seconds after a first time."""
    work()
    start, times = time.perf_counter(), 0
    while not times or time.perf_counter() - start < seconds:
        work()
        times += 1
    return clips * times / (time.perf_counter() - start)


def training(device: str, threads: int, batch: int, precision: str, seconds: float, size: dict = FULL) -> Finding:
    """Measure training steps on batches of random clips, and the most memory that they took."""
    device = use_device(device, threads)
    if device == "cpu" and precision != "float32":
        return Finding(SKIPPED, "Paddle mixes precisions on GPUs only")
    settings = resolve(size | {"train": {"precision": precision}})
    network = build_network(settings.model.model_dump(), CLASSES)
    trainer = Trainer(network, settings.clip, settings.train, device, threads)
    clips, targets = random_clips(batch, settings.clip), soft_targets(np.arange(batch) % CLASSES, CLASSES)
    try:
        found = rate(lambda: trainer.step(clips, targets, 0.01, 0), batch, seconds)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "out of memory" not in str(error).lower():
            raise
        return Finding(SKIPPED, "does not fit into the memory", {"batch": batch})
    if device == "gpu":
        memory = paddle.device.cuda.max_memory_allocated()
        total = paddle.device.cuda.get_device_properties().total_memory
    else:
        memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    values = {"rate": found, "batch": batch, "precision": precision, "memory": memory, "total": total}
    return Finding(OK, f"{found:.2f} clips/s, {memory / 2**30:.1f} of {total / 2**30:.1f} GiB", values)


def evaluation(device: str, threads: int, batch: int, seconds: float, size: dict = FULL) -> Finding:
    """Measure an exported network with the engine that `engine: auto` takes."""
    settings = resolve(size)
    clips = random_clips(batch, settings.clip)
    with tempfile.TemporaryDirectory() as temporary:
        paddle.set_device("cpu")  # to export; the predictor takes its device itself
        network = build_network(settings.model.model_dump(), CLASSES)
        export_untrained(network, settings.model_dump(), CLASSES, Path(temporary))
        predictor = Predictor(temporary, "auto", device, threads, batch)
        found = rate(lambda: predictor(clips), batch, seconds)
    return Finding(OK, f"{found:.2f} clips/s with the engine {predictor.engine}", {"rate": found})


def loader(workers: int, seconds: float, size: dict = FULL) -> Finding:
    """Measure the loading of training clips from frames of 320 × 240 pixels that are drawn first."""
    settings = resolve(size)
    with tempfile.TemporaryDirectory() as temporary:
        videos = draw_pack(Path(temporary), settings.frames.quality)
        data = TrainingData(["Drawn"], videos * 16, [], open_packs(temporary, videos))
        batches = BatchSource(data, settings.clip, settings.train, seed=1, workers=workers)
        order = batches.order(1)
        clips = sum(map(len, order))
        found = rate(lambda: [batch.clips[0, 0, 0, 0] for batch in batches.training(1, order)], clips, seconds)
    return Finding(OK, f"{found:.0f} clips/s", {"rate": found, "workers": workers})


def draw_pack(folder: Path, quality: int) -> list[Video]:
    """Write Drawn.zip with videos of soft spots under fine noise; return their rows of a split table."""
    jpegs = []
    for index in range(FRAMES):
        spots = 200 * np.kron(uniform(index, (15, 20, 3)), np.ones((16, 16, 1)))
        picture = spots + 16 * uniform(FRAMES + index, (240, 320, 1))
        jpegs.append(simplejpeg.encode_jpeg(picture.astype(np.uint8), quality))
    videos = [Video(f"v_Drawn_g01_c{number:02d}", "Drawn", 0, "1", "train", FRAMES) for number in range(VIDEOS)]
    with PackWriter(folder / "Drawn.zip") as pack:
        for video in videos:
            pack.add(video.folder, jpegs)
    return videos


def random_clips(count: int, clip: object) -> np.ndarray:
    """Return uint8 (count, T, H, W, 3)."""
    return (256 * uniform(0, (count, clip.frames, clip.size, clip.size, 3))).astype(np.uint8)
