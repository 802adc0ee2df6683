"""Predict videos with an exported network, through Paddle Inference."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import paddle
from paddle import inference

from video3d.clips.clip_reader import centre_request
from video3d.clips.loader import Loader
from video3d.clips.spatial_crops import FIRST_RESIZING
from video3d.common.console import progress
from video3d.common.errors import UserError
from video3d.common.settings import EvaluateSettings
from video3d.compute.device import use_device
from video3d.dataset.split_table import Video
from video3d.evaluation.engines import choose_engine
from video3d.evaluation.exported_model import clip_shape, read_metadata
from video3d.evaluation.model_metadata import METADATA, PARAMETERS, PROGRAM
from video3d.evaluation.protocols import views
from video3d.evaluation.tensorrt import rewrite_for_tensorrt
from video3d.frames.frame_pack import Pack

TOP = 5
GPU_MEGABYTES = 256  # of memory taken at the start; more is taken as needed


class Predictor:
    """An exported network, ready to predict: uint8 RGB clips (N, T, H, W, 3) → logits, float32 (N, classes).

    `engine` is plain, onednn, tensorrt or auto, which is the one that was measured to be the fastest on the device;
    `device` is auto, gpu or cpu; `batch_size` is the largest that will be asked for. Attributes: metadata, class_names,
    clip (that section of the settings), resizing (of the pictures it was trained on), engine, device.
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
        self.class_names: list[str] = self.metadata["labels"]
        self.clip: dict = self.metadata["clip"]
        self.resizing: str = self.metadata.get("resizing", FIRST_RESIZING)
        self.device = use_device(device, threads)
        self.engine = choose_engine(engine, self.device)
        self._predictor = self._create(threads, batch_size)
        self._input = self._predictor.get_input_handle(self._predictor.get_input_names()[0])
        self._output = self._predictor.get_output_handle(self._predictor.get_output_names()[0])
        with _stdout_to_stderr():  # the first run chooses kernels, and some of them print a line
            answers = self(np.zeros((1, *self.clip_shape), np.uint8)).shape[1]
        if answers != len(self.class_names):
            raise UserError(
                f"{self.folder / METADATA} names {len(self.class_names)} classes, but the model beside it tells "
                f"{answers} apart; export the model again"
            )

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """The shape of one clip, (T, H, W, 3)."""
        return clip_shape(self.clip)

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Return the logits of a batch of clips. Raises UserError if one is infinite or not a number."""
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
    """Answers of the network for some videos.

    probabilities: float32 (videos, classes), the softmax averaged over a video's clips. clip_video: int64 (clips,), the
    position of each clip's video. clip_predicted: int64 (clips,), each clip's most probable class.
    """

    probabilities: np.ndarray
    clip_video: np.ndarray
    clip_predicted: np.ndarray

    @property
    def clip_counts(self) -> np.ndarray:
        """How many clips of each video were seen, int64 (videos,)."""
        return np.bincount(self.clip_video, minlength=len(self.probabilities))


def predict_videos(
    predictor: Predictor,
    videos: Sequence[Video],
    packs: Mapping[str, Pack],
    protocol: str,
    settings: EvaluateSettings,
    threads: int,
) -> Predicted:
    """Predict each of `videos` exactly once, as `protocol` shows it.

    Batches go across videos; which clips share a batch changes nothing but rounding.

    Args:
        predictor: the network.
        videos: rows of a split table.
        packs: the packs of their classes, by class name.
        protocol: one of `protocols.PROTOCOLS`.
        settings: the section `evaluate`; `batch_size` and `uniform` count.
        threads: how many threads decode frames.
    """
    shown = [views(protocol, video.frames, predictor.clip["frames"], settings.uniform) for video in videos]
    clip_counts = np.array([len(chosen.indices) for chosen in shown])
    clip_video = np.repeat(np.arange(len(videos)), clip_counts)
    clip_predicted = np.empty(len(clip_video), np.int64)
    sums = np.zeros((len(videos), len(predictor.class_names)))
    requests = (
        centre_request(video, packs[video.class_name], indices, bool(mirrored), predictor.resizing)
        for video, chosen in zip(videos, shown, strict=True)
        for indices, mirrored in zip(*chosen, strict=True)
    )
    done = 0
    with progress(total=len(clip_video), unit=" clips", description="predicting") as bar:
        for batch in Loader(predictor.clip_shape, settings.batch_size, threads).batches(requests):
            probabilities = softmax(predictor(batch.clips))
            part = slice(done, done + len(batch.clips))
            np.add.at(sums, clip_video[part], probabilities)
            clip_predicted[part] = probabilities.argmax(axis=1)
            done = part.stop
            bar.update(len(batch.clips))
    return Predicted((sums / clip_counts[:, None]).astype(np.float32), clip_video, clip_predicted)


def top_labels(probabilities: np.ndarray) -> np.ndarray:
    """Return the labels of a video's `TOP` most probable classes, best first; of equals the smaller label comes first.

    `probabilities` is float (classes,); the result has as many labels as there are classes if these are fewer.
    """
    return np.argsort(-probabilities, kind="stable")[:TOP]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, float64 (N, classes), of logits."""
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
