"""Print the layers of a network, its trainable parameters, and what one clip costs it.

A line for every layer with parameters: the shape of its output for one clip, its parameters, its multiply-adds.
Example: python workflow_scripts/summarise_network.py --depth 18 --shortcut reference --num-classes 101
"""

import argparse
import sys

from video3d.model.architecture import BLOCKS_PER_STAGE, SHORTCUTS


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depth", type=int, choices=BLOCKS_PER_STAGE, default=18, help="layers with weights")
    parser.add_argument("--shortcut", choices=SHORTCUTS, default="reference", help="way around a block")
    parser.add_argument("--num-classes", type=int, default=101, help="outputs of the classifier")
    parser.add_argument("--width", type=int, default=64, help="channels of the first stage")
    parser.add_argument("--cardinality", type=int, default=1, help="groups of the 3×3×3 convolutions; 32 for ResNeXt")
    parser.add_argument("--frames", type=int, default=16, help="frames in a clip")
    parser.add_argument("--size", type=int, default=112, help="height and width of a clip, in pixels")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

from paddle import nn

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.model.layer_costs import count_parameters, layer_costs
from video3d.model.resnet3d import build_network


def format_layers(network: nn.Layer, frames: int, size: int) -> str:
    """Return the table of layers and the sums below it, for a clip of `frames` frames of `size` × `size` pixels."""
    costs = layer_costs(network, frames, size)
    lines = [f"{'layer':<24}{'output':<20}{'parameters':>14}{'multiply-adds':>18}"]
    for cost in costs:
        shape = "×".join(map(str, cost.output))
        lines.append(f"{cost.name:<24}{shape:<20}{cost.parameters:>14,}{cost.multiply_adds:>18,}")
    total = sum(cost.multiply_adds for cost in costs)
    lines.append(f"trainable parameters: {count_parameters(network):,}")
    lines.append(f"multiply-adds: {total:,} ({total / 1e9:.2f} × 10⁹) for a clip of {frames}×{size}×{size}")
    return "\n".join(lines)


def main() -> None:
    """Build the network and print its layers."""
    arguments = parse_arguments()
    require_positive(arguments)
    network = build_network(vars(arguments), arguments.num_classes)
    print(format_layers(network, arguments.frames, arguments.size))


def require_positive(arguments: argparse.Namespace) -> None:
    """Raise UserError if a number is less than 1."""
    for name in ("num_classes", "width", "cardinality", "frames", "size"):
        if getattr(arguments, name) < 1:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be at least 1, not {getattr(arguments, name)}")


if __name__ == "__main__":
    sys.exit(run(main))
