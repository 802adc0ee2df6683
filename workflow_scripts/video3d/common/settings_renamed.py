"""Settings that had another name once, or are none any more: for runs that were finished then, and for their users."""

from collections.abc import Mapping
from typing import Any

# By section and old name: the setting that it is today; None if there is none.
RENAMED: dict[tuple[str, str], tuple[str, str] | None] = {
    ("train", "average"): ("train", "ema_decay"),
    ("train", "stage_rates"): ("train", "lr_multipliers"),
    ("train", "clip_gradients"): ("train", "max_grad_norm"),
    ("train", "accumulate"): ("train", "gradient_accumulation_steps"),
    ("train", "compile"): None,  # the network compiled by Paddle, which learns the same
}


def with_todays_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a finished run under the names of today; parts that are no settings stay as they are."""
    renamed = {name: dict(part) if isinstance(part, Mapping) else part for name, part in settings.items()}
    for (section, name), today in RENAMED.items():
        if isinstance(part := renamed.get(section), dict) and name in part:
            value = part.pop(name)
            if today:
                renamed.setdefault(today[0], {})[today[1]] = value
    return renamed
