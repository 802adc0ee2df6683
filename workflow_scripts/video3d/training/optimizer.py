"""The optimizer, and what it is told about each parameter."""

import paddle
from paddle import nn

from video3d.common.settings import TrainSettings


def build_optimizer(settings: TrainSettings, network: nn.Layer) -> paddle.optimizer.Momentum:
    """Return stochastic gradient descent with momentum (Paddle's, without dampening) and an L2 penalty.

    `settings` is the section `train`: `momentum`, `weight_decay` with `decay_norms_and_biases`, and `lr_multipliers`.
    Frozen parameters are left out.
    """
    groups = [
        {
            "params": [parameter],
            "learning_rate": settings.lr_multipliers.get(stage_name(name), 1.0),
            "weight_decay": weight_decay(parameter, settings),
        }
        for name, parameter in network.named_parameters()
        if not parameter.stop_gradient
    ]
    return paddle.optimizer.Momentum(
        learning_rate=float(settings.learning_rate),  # Paddle refuses a whole number
        momentum=settings.momentum,
        parameters=groups,
    )


def weight_decay(parameter: paddle.Tensor, settings: TrainSettings) -> float:
    """Return the L2 penalty of a parameter; norms and biases are the parameters with one dimension."""
    decayed = len(parameter.shape) > 1 or settings.decay_norms_and_biases
    return float(settings.weight_decay) if decayed else 0.0


def stage_name(parameter: str) -> str:
    """Return the name of the stage that a parameter is of, such as layer1 for layer1.0.conv1.weight."""
    return parameter.partition(".")[0]
