"""Stages of the network that are not trained."""

from collections.abc import Mapping

from paddle import nn


class FrozenStages:
    """The stages of `network` whose learning rate multiplier is 0: neither their parameters nor statistics change.

    The parameters get no gradients from now on, and `build_optimizer` leaves them out; the running statistics of batch
    norm stay as long as `freeze_batch_norm` is called whenever the network was switched to training.
    """

    def __init__(self, network: nn.Layer, lr_multipliers: Mapping[str, float]):
        self._stages = [getattr(network, name) for name, multiplier in lr_multipliers.items() if multiplier == 0]
        for stage in self._stages:
            for parameter in stage.parameters():
                parameter.stop_gradient = True

    def freeze_batch_norm(self) -> None:
        """Let batch norm in these stages use its running statistics and leave them as they are."""
        for stage in self._stages:
            stage.eval()
