"""Predicting with an exported network, through Paddle Inference."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import paddle
from paddle import inference

from video3d.clips.loader import Loader
from video3d.clips.spatial_crops import FIRST_RESIZING
from video3d.common.console import progress
from video3d.common.errors import UserError
from video3d.compute.device import use_device
from video3d.evaluation.engines import choose_engine
from video3d.evaluation.exported_model import read_metadata
from video3d.evaluation.model_metadata import PARAMETERS, PROGRAM
from video3d.evaluation.protocols import Views
from video3d.evaluation.tensorrt import rewrite_for_tensorrt

GPU_MEGABYTES = 256  # of memory taken at the start; more is taken as needed


class Predictor:
    """An exported network, ready to predict: uint8 RGB clips (N, T, H, W, 3) → logits, float32 (N, classes).

    `engine` is plain, onednn, tensorrt or auto, which is the one that was measured to be the fastest on the device;
    `device` is auto, gpu or cpu; `batch_size` is the largest that will be asked for. Attributes: metadata, labels
    (class names), clip (that section of the config), resizing (of the pictures it was trained on), engine, device.
    Raises UserError if the folder is no exported model or the engine cannot run here.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        engine: str = "auto",
        device: str = "auto",
        threads: int = 1,
        batch_size: int = 16,
    ):
        self.folder = Path(folder)
        self.metadata = read_metadata(folder)
        self.labels: list[str] = self.metadata["labels"]
        self.clip: dict = self.metadata["clip"]
        self.resizing: str = self.metadata.get("resizing", FIRST_RESIZING)
        self.device = use_device(device, threads)
        self.engine = choose_engine(engine, self.device)
        self._predictor = self._create(threads, batch_size)
        self._input = self._predictor.get_input_handle(self._predictor.get_input_names()[0])
        self._output = self._predictor.get_output_handle(self._predictor.get_output_names()[0])
        with _stdout_to_stderr():  # the first run chooses kernels, and some of them print a line
            self(np.zeros((1, *self.clip_shape), np.uint8))

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """Shape of one clip, (T, H, W, 3)."""
        return self.clip["frames"], self.clip["size"], self.clip["size"], 3

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Logits of a batch of clips. Raises UserError if one is infinite or not a number."""
        self._input.reshape(clips.shape)
        self._input.copy_from_cpu(clips)
        self._predictor.run()
        logits = self._output.copy_to_cpu()
        if not np.isfinite(logits).all():
            raise UserError(
                f"{self.folder} answers with infinite values or no numbers: its weights are damaged, or their training "
                "came to nothing; look at the loss in history.csv, and train or export again"
            )
        return logits

    def _create(self, threads: int, batch_size: int) -> inference.Predictor:
        files = self.folder / PROGRAM, self.folder / PARAMETERS
        with tempfile.TemporaryDirectory() as temporary:
            if self.engine == "tensorrt":
                files = rewrite_for_tensorrt(files[0], self.clip_shape, batch_size, Path(temporary))
            config = inference.Config(*map(str, files))
            config.disable_glog_info()
            config.set_cpu_math_library_num_threads(threads)
            if self.device == "gpu":
                config.enable_use_gpu(GPU_MEGABYTES, int(paddle.device.get_device().partition(":")[2]))
            elif self.engine == "onednn":
                config.enable_mkldnn()
            else:
                config.disable_mkldnn()
            return inference.create_predictor(config)


class Predicted(NamedTuple):
    """What was predicted for some videos.

    probabilities: float32 (videos, classes), the softmax averaged over a video's clips. clip_video: int64 (clips,), the
    position of each clip's video. clip_predicted: int64 (clips,), each clip's most probable class.
    """

    probabilities: np.ndarray
    clip_video: np.ndarray
    clip_predicted: np.ndarray


def predict_videos(
    predictor: Predictor,
    shown: Sequence[Views],
    fill: Callable[[np.ndarray, int, np.ndarray, bool], None],
    batch_size: int,
    workers: int,
) -> Predicted:
    """Predict each video of which `shown` gives the views, exactly once.

    `fill(out, video, indices, mirrored)` decodes a view of the video at that position into `out`, uint8 (T, H, W, 3).
    Batches go across videos; which clips share a batch changes nothing but rounding.
    """
    items = [
        (video, indices, bool(mirrored))
        for video, chosen in enumerate(shown)
        for indices, mirrored in zip(*chosen, strict=True)
    ]
    sums = np.zeros((len(shown), len(predictor.labels)))
    clip_predicted = np.empty(len(items), np.int64)
    done = 0
    loader = Loader(predictor.clip_shape, batch_size, workers)
    with progress(total=len(items), unit=" clips", description="predicting") as bar:
        for batch in loader.batches(items, lambda out, item: fill(out, *item)):
            probabilities = softmax(predictor(batch.clips))
            np.add.at(sums, [video for video, _, _ in batch.items], probabilities)
            clip_predicted[done : done + len(batch.items)] = probabilities.argmax(axis=1)
            done += len(batch.items)
            bar.update(len(batch.items))
    counts = np.array([len(chosen.indices) for chosen in shown])
    return Predicted(
        (sums / counts[:, None]).astype(np.float32), np.repeat(np.arange(len(shown)), counts), clip_predicted
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (N, classes) in float64."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what native code prints to standard output to standard error: the former is for results."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
