"""One step of learning, and everything that it changes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from video3d.common.settings import ClipSettings, TrainSettings
from video3d.compute.cpu_convolution import use_fast_convolutions
from video3d.compute.distributed import SINGLE_PROCESS, ProcessGroup
from video3d.model.normalised_model import NormalisedModel
from video3d.training.ema import ExponentialMovingAverage
from video3d.training.freezing import FrozenStages
from video3d.training.optimizer import build_optimizer

STATISTICS = ("._mean", "._variance")  # how Paddle's names of batch norm's running statistics end


class Trainer:
    """A network with its optimizer, loss scaling and moving average, on one device or in a group of processes.

    On a CPU the fast convolutions are used if the settings ask for them; Paddle mixes precisions on GPUs only.

    Args:
        network: maps float32 (N, 3, T, H, W) to logits; changed in place.
        clip: that section of the settings.
        settings: the section `train`.
        device: "cpu" or "gpu".
        threads: for the fast convolutions.
        group: the processes that share each batch.
    """

    def __init__(
        self,
        network: nn.Layer,
        clip: ClipSettings,
        settings: TrainSettings,
        device: str = "cpu",
        threads: int = 1,
        group: ProcessGroup = SINGLE_PROCESS,
    ):
        self.network, self.settings, self.group = network, settings, group
        self._frozen_stages = FrozenStages(network, settings.lr_multipliers)
        self._model = NormalisedModel(network, clip.model_dump())
        self._optimizer = build_optimizer(settings, network)
        self._precision = settings.precision if device == "gpu" else "float32"
        if self._precision != settings.precision:
            logging.warning("train: precision: the CPU computes in float32, not in %s", settings.precision)
        self._scaler = paddle.amp.GradScaler(enable=self._precision == "float16")
        self.ema = ExponentialMovingAverage(network, settings.ema_decay) if settings.ema_decay else None
        self._put_aside: dict[str, paddle.Tensor] = {}  # what `state` gives instead of what the network has
        self._reading = threading.Lock()  # held by `state`: what it reads is not changed before it is put aside
        group.synchronise_batch_norm(network)
        if device == "cpu" and settings.fast_cpu:
            use_fast_convolutions(network, threads)

    def step(self, clips: np.ndarray, targets: np.ndarray, rate: float, random_seed: int) -> tuple[float, np.ndarray]:
        """Change the weights once by the gradients of a batch; arguments and results as of `compute_gradients`."""
        loss, logits = self.compute_gradients(clips, targets, rate, random_seed)
        self.update_weights()
        return loss, logits

    def compute_gradients(
        self, clips: np.ndarray, targets: np.ndarray, rate: float, random_seed: int
    ) -> tuple[float, np.ndarray]:
        """Compute the gradients of a batch for `update_weights`; return its mean cross-entropy and the logits.

        `gradient_accumulation_steps` sends the clips through the network in that many parts, to save memory: the
        gradients are those of the batch, the statistics of batch norm those of the parts. What `state` returns
        stays as it was before.

        Args:
            clips: this process's shard of the batch, uint8 (N, T, H, W, 3).
            targets: probabilities to learn, times the weights of their classes, float32 (N, num_classes).
            rate: the learning rate.
            random_seed: of dropout.

        Returns:
            The loss of the whole batch, and the logits of this shard, float32 (N, num_classes).
        """
        tensors = self.network.state_dict()
        self._put_away({name: tensor for name, tensor in tensors.items() if name.endswith(STATISTICS)})
        self._model.train()
        self._frozen_stages.freeze_batch_norm()
        paddle.seed(random_seed)
        self._optimizer.set_lr(rate)
        (batch_size,) = self.group.all_reduce_sum(len(clips))
        # The same number in every process, or they would wait for each other for ever.
        parts = int(min(self.settings.gradient_accumulation_steps, batch_size // self.group.size))
        loss, logits = 0.0, []
        for part, wanted in zip(np.array_split(clips, parts), np.array_split(targets, parts), strict=True):
            with self._lower_precision():
                output = self._model(paddle.to_tensor(part)).astype("float32")
            total = F.cross_entropy(output, paddle.to_tensor(wanted), soft_label=True, reduction="sum")
            self._scaler.scale(total / batch_size).backward()
            loss += float(total)
            logits.append(output.numpy())
        self.group.all_reduce_gradients(self.network)
        return self.group.all_reduce_sum(loss)[0] / batch_size, np.concatenate(logits)

    def update_weights(self) -> None:
        """Change the weights by the gradients. No process waits for another here, so none can be left half-way."""
        if self.settings.max_grad_norm:
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.max_grad_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.clear_grad()
        if self.ema:
            self.ema.update(self.network)
        self._put_aside = {}

    @paddle.no_grad()
    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Return logits, float32 (N, num_classes), of uint8 clips (N, T, H, W, 3), as they are in evaluation."""
        self._model.eval()
        return self._model(paddle.to_tensor(clips)).numpy()

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Let the network have the moving average of its weights, if there is one, within the block."""
        if not self.ema:
            yield
            return
        tensors = self.network.state_dict()
        self._put_away(tensors)
        self.network.set_state_dict(self.ema.tensors)
        try:
            yield
        finally:
            for name, weights in self._put_aside.items():
                tensors[name].set_value(weights)
            self._put_aside = {}

    def adopt_average(self) -> None:
        """Give the network the moving average of its weights, if there is one, for good."""
        if self.ema:
            self.network.set_state_dict(self.ema.tensors)

    def weights(self) -> dict[str, np.ndarray]:
        """Return the network as it is, for `restore`: all that is kept of a training that has finished."""
        return {f"weights/{name}": tensor.numpy() for name, tensor in self.network.state_dict().items()}

    def state(self) -> dict[str, np.ndarray]:
        """Return arrays from which `restore` makes a trainer that learns on from here.

        They are those before `compute_gradients` until `update_weights` is done, and the same within a block of
        `averaged_weights`. Another thread may ask for them at any time but while the weights are updated.
        """
        with self._reading:
            weights = self.network.state_dict() | self._put_aside
            arrays = {f"weights/{name}": tensor.numpy() for name, tensor in weights.items()}
        memory = self._optimizer.state_dict()
        for name, parameter in self.network.named_parameters():
            for key in memory:
                if key.startswith(f"{parameter.name}_"):
                    arrays[f"optimizer/{name}/{key.removeprefix(parameter.name)}"] = memory[key].numpy()
        if self.ema:
            arrays |= {f"ema/{name}": value for name, value in self.ema.state().items()}
        return arrays | {f"scaler/{name}": np.array(value) for name, value in self._scaler.state_dict().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Become the trainer whose `state` this is, or take over its weights if they are all there is."""
        kinds = {kind: {} for kind in ("weights", "optimizer", "ema", "scaler")}
        for name, value in arrays.items():
            kind, _, rest = name.partition("/")
            kinds[kind][rest] = value
        self.network.set_state_dict(kinds["weights"])
        names = {name: parameter.name for name, parameter in self.network.named_parameters()}
        memory = {}
        for name, value in kinds["optimizer"].items():
            parameter, _, suffix = name.partition("/")
            memory[names[parameter] + suffix] = paddle.to_tensor(value)
        self._optimizer.set_state_dict(memory)
        if kinds["ema"]:
            self.ema.restore(kinds["ema"])
        if kinds["scaler"]:
            numbers = {name: value if value.ndim else value.item() for name, value in kinds["scaler"].items()}
            self._scaler.load_state_dict(numbers)

    def _put_away(self, tensors: dict[str, paddle.Tensor]) -> None:
        """Keep copies of tensors that are about to change, for `state`."""
        copies = {name: tensor.clone() for name, tensor in tensors.items()}
        with self._reading:
            self._put_aside = copies

    def _lower_precision(self) -> AbstractContextManager:
        if self._precision == "float32":
            return nullcontext()
        # Paddle's own list of what gains by lower precision has 2D convolutions, but no 3D ones.
        return paddle.amp.auto_cast(dtype=self._precision, level="O1", custom_white_list={"conv3d"})
