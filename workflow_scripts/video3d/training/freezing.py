"""Stages that are not trained."""

from collections.abc import Mapping

from paddle import nn


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
