"""The exported network: writing it, and predicting with it through Paddle Inference.

An exported folder is all that prediction needs: `model.json` and `model.pdiparams` take uint8 RGB clips and give
logits, `metadata.json` says what the clips and the classes are.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import paddle
from paddle import inference, nn

from video3d.augment import FIRST_RESIZING, RESIZERS
from video3d.classifier import Classifier
from video3d.console import UserError, progress
from video3d.data import Loader
from video3d.device import use_device
from video3d.engines import choose_engine
from video3d.files import sha256
from video3d.model_metadata import PARAMETERS, read_model_metadata
from video3d.protocols import Views
from video3d.tensorrt import rewrite_for_tensorrt

GPU_MEGABYTES = 256  # of memory taken at the start; more is taken as needed
PROGRAM, METADATA = "model.json", "metadata.json"


def export(network: nn.Layer, metadata: dict, folder: str | os.PathLike) -> None:
    """Write `network` with its normalisation, and `metadata` (with a section `clip`), to an existing folder.

    The metadata are completed by the SHA-256 of the other files.

    `network` maps float32 (N, 3, T, H, W) to logits; the exported program maps uint8 RGB (N, T, H, W, 3) to logits,
    float32 (N, classes), for any N.
    """
    clip = metadata["clip"]
    classifier = Classifier(network, clip)
    classifier.eval()
    shape = [None, clip["frames"], clip["size"], clip["size"], 3]
    clips = paddle.static.InputSpec(shape, "uint8", name="clips")
    paddle.jit.save(classifier, str(Path(folder) / "model"), input_spec=[clips])
    files = {name: sha256(Path(folder) / name) for name in (PROGRAM, PARAMETERS)}
    text = json.dumps(metadata | {"files": files}, indent=2, ensure_ascii=False)
    (Path(folder) / METADATA).write_text(text + "\n", encoding="utf-8")


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


def read_metadata(folder: str | os.PathLike) -> dict:
    """The metadata of an exported model. Raises UserError if the folder is none, or if a file in it is damaged."""
    folder = Path(folder)
    missing = [name for name in (PROGRAM, PARAMETERS, METADATA) if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{folder} is no exported model: it has no {', '.join(missing)}; give the folder that export.py wrote, "
            "such as results/<run>/split1/seed10001/model"
        )
    metadata = read_model_metadata(folder / METADATA)
    wrong = [name for name in (PROGRAM, PARAMETERS) if metadata["files"].get(name) != sha256(folder / name)]
    if wrong:
        raise UserError(f"{folder}: {', '.join(wrong)} damaged, or of another model; export the model again")
    if metadata.get("resizing", FIRST_RESIZING) not in RESIZERS:
        raise UserError(
            f"{folder / METADATA}: its pictures are to be resized by {metadata['resizing']!r}, but known are "
            f"{', '.join(RESIZERS)}; use the version of this project that exported it"
        )
    return metadata


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
