"""The learning rate of every step."""

from collections.abc import Sequence
from math import cos, inf, pi

from video3d.common.settings import TrainSettings

WARM_UP_START = 0.01
PLATEAU_EPOCHS = 10
PLATEAU_IMPROVEMENT = 1e-4


def learning_rate(train: TrainSettings, epoch: int, fraction: float, validation_losses: Sequence[float] = ()) -> float:
    """Return the learning rate of a step.

    `schedule` is one of
    - "step": `learning_rate`, divided by 10 at the start of each epoch in `milestones`;
    - "cosine": along half a cosine from `learning_rate` to 0 over all epochs after the warm-up (Loshchilov and Hutter,
      "SGDR", ICLR 2017, without restarts);
    - "plateau": divided by 10 when the validation losses have not improved for more than 10 epochs.
    During the first `warmup_epochs` the rate grows linearly from a hundredth (Goyal et al., "Accurate, Large Minibatch
    SGD", arXiv 1706.02677, section 2.2).

    Args:
        train: that section of the settings.
        epoch: from 1.
        fraction: of the epoch that has passed, 0 ≤ fraction < 1.
        validation_losses: one per finished epoch.
    """
    done, warm_up, highest = epoch - 1 + fraction, train.warmup_epochs, train.learning_rate
    if done < warm_up:
        return highest * (WARM_UP_START + (1 - WARM_UP_START) * done / warm_up)
    if train.schedule == "cosine":
        return highest * (1 + cos(pi * (done - warm_up) / (train.epochs - warm_up))) / 2
    if train.schedule == "plateau":
        return highest / 10 ** _plateaus(validation_losses)
    return highest / 10 ** sum(epoch >= milestone for milestone in train.milestones)


def _plateaus(losses: Sequence[float]) -> int:
    """Return how often eleven epochs in a row were not 0.01 % better than the best before.

    As in the paper's code.
    """
    best, waited, plateaus = inf, 0, 0
    for loss in losses:
        if loss < best * (1 - PLATEAU_IMPROVEMENT):
            best, waited = loss, 0
        else:
            waited += 1
        if waited > PLATEAU_EPOCHS:
            plateaus, waited = plateaus + 1, 0
    return plateaus
