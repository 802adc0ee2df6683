"""The exponential moving average of the weights."""

import numpy as np
import paddle
from paddle import nn


class ExponentialMovingAverage:
    """The average of all weights and running statistics over the steps: ema ← d · ema + (1 - d) · weights.

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
        """Return what a checkpoint has to keep."""
        arrays = {name: tensor.numpy() for name, tensor in self.tensors.items()}
        return arrays | {"updates": np.array(self.updates)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from `state`."""
        self.updates = int(arrays.pop("updates"))
        for name, value in arrays.items():
            self.tensors[name].set_value(value)
