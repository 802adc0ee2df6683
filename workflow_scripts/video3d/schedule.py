"""The learning rate of every step."""

from math import cos, pi


def learning_rate(train: dict, epoch: int, fraction: float) -> float:
    """The learning rate at `fraction` (0 ≤ fraction < 1) of `epoch` (from 1), from the `train` section of the config.

    "step": `learning_rate`, divided by 10 at the start of each epoch in `milestones`. "cosine": falls along half a
    cosine from `learning_rate` to 0 over all epochs (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts).
    """
    if train["schedule"] == "cosine":
        return train["learning_rate"] * (1 + cos(pi * (epoch - 1 + fraction) / train["epochs"])) / 2
    return train["learning_rate"] / 10 ** sum(epoch >= milestone for milestone in train["milestones"])
