"""Weights out of networks into files, and from arrays into networks.

A file is a pickled dict of NumPy arrays (`.pdparams`), with what is known about them in a `.json` beside it.
`paddle.load` reads it too; here video3d.weights.paddle_reader does, which runs nothing that a pickle contains.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from paddle import nn

from video3d.common.errors import UserError
from video3d.common.files import atomic_path, sha256
from video3d.common.printable import few
from video3d.weights.description import write_description

HEAD = ("fc.weight", "fc.bias")


class StateDictDiff(NamedTuple):
    """How the tensors of a file differ from those of a network: absent, too many, or of another shape, by name."""

    missing: list[str]
    unexpected: list[str]
    misshaped: dict[str, str]

    def __str__(self) -> str:
        shapes = [f"{name} ({difference})" for name, difference in self.misshaped.items()]
        parts = {"missing": self.missing, "unexpected": self.unexpected, "of another shape": shapes}
        return "; ".join(f"{what}: {few(names)}" for what, names in parts.items() if names) or "every tensor fits"


def save_weights(path: Path, network: nn.Layer, metadata: Mapping) -> None:
    """Write the parameters and running statistics of `network`, and `metadata` as JSON beside them.

    Equal tensors give equal bytes. The metadata are completed by the SHA-256 of the weights, which ties the two files.
    """
    path = Path(path)
    tensors = {name: np.array(tensor.numpy(), order="C") for name, tensor in network.state_dict().items()}
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file:
            pickle.dump(tensors, file, protocol=4)  # the newest that paddle.load documents
        write_description(path, sha256(temporary), metadata)


def compare_state_dict(network: nn.Layer, tensors: Mapping[str, np.ndarray]) -> StateDictDiff:
    """Return how the names and shapes of `tensors` differ from those of the network."""
    own = network.state_dict()
    return StateDictDiff(
        missing=[name for name in own if name not in tensors],
        unexpected=[name for name in tensors if name not in own],
        misshaped={
            name: f"{_shape(tensors[name])}, not {_shape(tensor)}"
            for name, tensor in own.items()
            if name in tensors and list(tensors[name].shape) != list(tensor.shape)
        },
    )


def apply_weights(
    network: nn.Layer,
    tensors: Mapping[str, np.ndarray],
    new_head: bool = False,
    source: str | Path = "the weights",
) -> None:
    """Copy `tensors` into the network.

    Args:
        network: changed in place.
        tensors: by name.
        new_head: whether the network keeps its own classifier; `tensors` may then have any or none.
        source: what the message calls the weights.

    Raises UserError, and changes nothing, unless every tensor of the network is given in its shape and no other is.
    """
    kept = HEAD if new_head else ()
    diff = compare_state_dict(network, {**tensors, **{name: network.state_dict()[name] for name in kept}})
    if any(diff):
        raise UserError(
            f"{source} do not fit the network: {diff}. "
            "Are depth, shortcut, width and cardinality in `model:`, and the classes, those of the weights?"
        )
    for name, tensor in network.state_dict().items():
        if name not in kept:
            tensor.set_value(tensors[name].astype(np.float32))


def _shape(tensor) -> str:
    return "×".join(map(str, tensor.shape))
