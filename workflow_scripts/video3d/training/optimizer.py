"""The optimiser, and what it is told about each parameter."""

from collections.abc import Mapping

import paddle
from paddle import nn


def build_optimizer(settings: dict, network: nn.Layer) -> paddle.optimizer.Momentum:
    """Stochastic gradient descent with momentum (Paddle's, without dampening) and an L2 penalty.

    `settings` is the `train` section: `momentum`, `weight_decay` with `decay_norms_and_biases`, and `lr_multipliers`.
    Parameters of frozen stages are left out.
    """
    groups = [
        {
            "params": [parameter],
            "learning_rate": stage_rate(name, settings["lr_multipliers"]),
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
