"""One step of learning, and everything that it changes."""

import logging
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from video3d.compute.cpu_convolution import use_fast_convolutions
from video3d.compute.distributed import ALONE, Team
from video3d.model.normalised_model import Classifier
from video3d.training.ema import Average
from video3d.training.freezing import freeze, hold_statistics
from video3d.training.optimizer import build_optimizer

STATISTICS = ("._mean", "._variance")  # how Paddle's names of batch norm's running statistics end


class Learner:
    """A network with its optimiser, loss scaling and running average, on one device or in a team of processes.

    `settings` is the `train` section of the config, `clip` that section. On a CPU the fast convolutions are used if the
    settings ask for them; Paddle mixes precisions on GPUs only.
    """

    def __init__(
        self, network: nn.Layer, clip: dict, settings: dict, device: str = "cpu", threads: int = 1, team: Team = ALONE
    ):
        self.settings, self.team, self.network = settings, team, network
        freeze(network, settings["lr_multipliers"])
        self.model = Classifier(network, clip)
        self.optimizer = build_optimizer(settings, network)
        self.precision = settings["precision"] if device == "gpu" else "float32"
        if self.precision != settings["precision"]:
            logging.warning("train: precision: the CPU computes in float32, not in %s", settings["precision"])
        self.scaler = paddle.amp.GradScaler(enable=self.precision == "float16")
        self.average = Average(network, settings["ema_decay"]) if settings["ema_decay"] else None
        self._put_aside: dict[str, paddle.Tensor] = {}  # what `state` gives instead of what the network has
        team.share_statistics(network)
        if device == "cpu" and settings["fast_cpu"]:
            use_fast_convolutions(network, threads)

    def step(self, clips: np.ndarray, targets: np.ndarray, rate: float, random_seed: int) -> tuple[float, np.ndarray]:
        """Change the weights once by the gradients of a batch; arguments and results are those of `gradients`."""
        found = self.gradients(clips, targets, rate, random_seed)
        self.update()
        return found

    def gradients(
        self, clips: np.ndarray, targets: np.ndarray, rate: float, random_seed: int
    ) -> tuple[float, np.ndarray]:
        """Compute the gradients of a batch for `update`; returns its mean cross-entropy and the logits.

        In a team `clips`, uint8 (N, T, H, W, 3), and `targets`, float32 (N, classes), are this process's share of the
        batch, and so are the logits; the loss is the whole batch's. `gradient_accumulation_steps` sends the clips
        through the network in that many parts, to save memory: the gradients are those of the batch, the statistics of
        batch norm are those of the parts. Nothing that `state` returns changes here: it gives the statistics as they
        were before.
        """
        tensors = self.network.state_dict()
        self._put_aside = {name: tensors[name].clone() for name in tensors if name.endswith(STATISTICS)}
        self.model.train()
        hold_statistics(self.network, self.settings["lr_multipliers"])
        paddle.seed(random_seed)
        self.optimizer.set_lr(rate)
        (batch_size,) = self.team.total(len(clips))
        # In every process as many.
        parts = int(min(self.settings["gradient_accumulation_steps"], batch_size // self.team.size))
        loss, logits = 0.0, []
        for part, wanted in zip(np.array_split(clips, parts), np.array_split(targets, parts), strict=True):
            with self._precision():
                output = self.model(paddle.to_tensor(part)).astype("float32")
            total = F.cross_entropy(output, paddle.to_tensor(wanted), soft_label=True, reduction="sum")
            self.scaler.scale(total / batch_size).backward()
            loss += float(total)
            logits.append(output.numpy())
        self.team.add_up_gradients(self.network)
        return self.team.total(loss)[0] / batch_size, np.concatenate(logits)

    def update(self) -> None:
        """Change the weights by the gradients. No process waits for another here, so none can be left half-way."""
        if self.settings["max_grad_norm"]:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings["max_grad_norm"])
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.clear_grad()
        if self.average:
            self.average.update(self.network)
        self._put_aside = {}

    def _precision(self) -> AbstractContextManager:
        if self.precision == "float32":
            return nullcontext()
        # Paddle's own list of what gains by lower precision has 2D convolutions, but no 3D ones.
        return paddle.amp.auto_cast(dtype=self.precision, level="O1", custom_white_list={"conv3d"})

    @paddle.no_grad()
    def predict(self, clips: np.ndarray) -> np.ndarray:
        """Logits, float32 (N, classes), of uint8 clips (N, T, H, W, 3), as they are in evaluation."""
        self.model.eval()
        return self.model(paddle.to_tensor(clips)).numpy()

    def use_average(self) -> None:
        """Put the running average of the weights, if there is one, in their place until `use_weights`."""
        if self.average:
            self._put_aside = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
            self.network.set_state_dict(self.average.tensors)

    def use_weights(self) -> None:
        """Undo `use_average`."""
        tensors = self.network.state_dict()
        for name, weights in self._put_aside.items():
            tensors[name].set_value(weights)
        self._put_aside = {}

    def weights(self) -> dict[str, np.ndarray]:
        """The network as it is, for `restore`: all that is kept of a learner that has finished."""
        return {f"weights/{name}": tensor.numpy() for name, tensor in self.network.state_dict().items()}

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which `restore` makes a learner that learns on from here.

        They are those before `gradients` until `update` is done, and the same whether the average is in use or not.
        """
        weights = self.network.state_dict() | self._put_aside
        arrays = {f"weights/{name}": tensor.numpy() for name, tensor in weights.items()}
        memory = self.optimizer.state_dict()
        for name, parameter in self.network.named_parameters():
            for key in memory:
                if key.startswith(f"{parameter.name}_"):
                    arrays[f"optimizer/{name}/{key.removeprefix(parameter.name)}"] = memory[key].numpy()
        if self.average:
            arrays |= {f"average/{name}": value for name, value in self.average.state().items()}
        return arrays | {f"scaler/{name}": np.array(value) for name, value in self.scaler.state_dict().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Become the learner whose `state` this is, or take over its weights if they are all there is."""
        kinds = {kind: {} for kind in ("weights", "optimizer", "average", "scaler")}
        for name, value in arrays.items():
            kind, _, rest = name.partition("/")
            kinds[kind][rest] = value
        self.network.set_state_dict(kinds["weights"])
        names = {name: parameter.name for name, parameter in self.network.named_parameters()}
        memory = {}
        for name, value in kinds["optimizer"].items():
            parameter, _, suffix = name.partition("/")
            memory[names[parameter] + suffix] = paddle.to_tensor(value)
        self.optimizer.set_state_dict(memory)
        if kinds["average"]:
            self.average.restore(kinds["average"])
        if kinds["scaler"]:
            numbers = {name: value if value.ndim else value.item() for name, value in kinds["scaler"].items()}
            self.scaler.load_state_dict(numbers)
