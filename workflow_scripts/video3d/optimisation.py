"""The optimiser and what it is told about each parameter; the running average of the weights."""

from collections.abc import Mapping

import numpy as np
import paddle
from paddle import nn


def build_optimizer(settings: dict, network: nn.Layer) -> paddle.optimizer.Momentum:
    """Stochastic gradient descent with momentum (Paddle's, without dampening) and an L2 penalty.

    `settings` is the `train` section: `momentum`, `weight_decay` with `decay_norms_and_biases`, and `stage_rates`.
    Parameters of frozen stages are left out.
    """
    groups = [
        {
            "params": [parameter],
            "learning_rate": stage_rate(name, settings["stage_rates"]),
            "weight_decay": weight_decay(parameter, settings),
        }
        for name, parameter in network.named_parameters()
        if not parameter.stop_gradient
    ]
    return paddle.optimizer.Momentum(
        learning_rate=float(settings["learning_rate"]),  # Paddle refuses a whole number
        momentum=settings["momentum"],
        parameters=groups,
    )


def weight_decay(parameter: paddle.Tensor, settings: dict) -> float:
    """The L2 penalty of a parameter; norms and biases are the parameters with one dimension."""
    decayed = len(parameter.shape) > 1 or settings["decay_norms_and_biases"]
    return float(settings["weight_decay"]) if decayed else 0.0


def stage_rate(parameter: str, rates: Mapping[str, float]) -> float:
    """What the learning rate of a parameter, given by its name, is multiplied with; 0 means frozen."""
    return rates.get(parameter.split(".")[0], 1.0)


def freeze(network: nn.Layer, rates: Mapping[str, float]) -> None:
    """Take the stages with rate 0 out of the training: their parameters, and their running statistics too."""
    for name in frozen_stages(rates):
        for parameter in getattr(network, name).parameters():
            parameter.stop_gradient = True


def hold_statistics(network: nn.Layer, rates: Mapping[str, float]) -> None:
    """Keep the statistics of frozen stages as they are, in a network that was switched to training."""
    for name in frozen_stages(rates):
        getattr(network, name).eval()


def frozen_stages(rates: Mapping[str, float]) -> list[str]:
    """The stages whose learning rate is 0."""
    return [name for name, rate in rates.items() if rate == 0]


class Average:
    """An exponential moving average of all weights and running statistics: average ← d · average + (1 - d) · weights.

    After n updates d is at most (1 + n) / (10 + n), so that the first weights are soon forgotten.
    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; ramp as in TensorFlow.
    """

    def __init__(self, network: nn.Layer, decay: float):
        self.decay = decay
        self.updates = 0
        self.tensors = {name: tensor.clone().detach() for name, tensor in network.state_dict().items()}

    @paddle.no_grad()
    def update(self, network: nn.Layer) -> None:
        """Take the weights after one more step into account."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, tensor in network.state_dict().items():
            average = self.tensors[name]
            average.set_value(average * decay + tensor * (1 - decay))
        self.updates += 1

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint has to keep."""
        arrays = {name: tensor.numpy() for name, tensor in self.tensors.items()}
        return arrays | {"updates": np.array(self.updates)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from `state`."""
        self.updates = int(arrays.pop("updates"))
        for name, value in arrays.items():
            self.tensors[name].set_value(value)
