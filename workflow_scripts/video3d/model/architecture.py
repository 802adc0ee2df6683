"""Which networks there are, as the section `model` of the settings names them; known without importing Paddle."""

from collections.abc import Mapping
from typing import Any

BLOCKS_PER_STAGE = {
    10: (1, 1, 1, 1),
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
SHALLOWEST_BOTTLENECK = 50
SHORTCUTS = ("reference", "A", "B")
STAGES = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")  # those with parameters


def model_faults(model: Mapping[str, Any]) -> list[str]:
    """Return why `depth`, `shortcut`, `width` and `cardinality` of a `model` describe no network."""
    depth, shortcut, width, cardinality = (model[name] for name in ("depth", "shortcut", "width", "cardinality"))
    faults = []
    if depth not in BLOCKS_PER_STAGE:
        faults.append(f"model: depth: {depth} is none of {', '.join(map(str, BLOCKS_PER_STAGE))}")
    elif cardinality > 1 and depth < SHALLOWEST_BOTTLENECK:
        faults.append(
            f"model: cardinality: {cardinality} needs a depth of at least {SHALLOWEST_BOTTLENECK} (bottleneck blocks), "
            f"not {depth}"
        )
    if shortcut not in SHORTCUTS:
        faults.append(f"model: shortcut: {shortcut!r} is none of {', '.join(SHORTCUTS)}")
    if 2 * width % cardinality:
        faults.append(f"model: cardinality: {cardinality} does not divide twice the width, {2 * width}")
    return faults
