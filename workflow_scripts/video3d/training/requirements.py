"""What a training needs of its settings and data: checked before anything runs, and again by the training itself."""

from collections.abc import Mapping

from video3d.common.settings import TrainSettings
from video3d.model.architecture import STAGES


def settings_faults(train: TrainSettings, validation: bool) -> list[str]:
    """Return which settings of the section `train` cannot go together.

    `validation` says whether there are validation videos.
    """
    faults, size, devices = [], train.batch_size, train.devices
    if size < devices:
        faults.append(f"train: batch_size: {size} cannot be shared by train: devices: {devices}")
    if train.schedule == "plateau" and not validation:
        faults.append("train: schedule: plateau needs validation_groups: it looks at the loss of held-out videos")
    rates = train.lr_multipliers
    if unknown := [name for name in rates if name not in STAGES]:
        faults.append(
            f"train: lr_multipliers: {', '.join(unknown)}: the network has no such stage; it has {', '.join(STAGES)}"
        )
    if all(rates.get(name) == 0 for name in STAGES):
        faults.append("train: lr_multipliers: every stage has the rate 0, so nothing is left to train")
    return faults


def data_faults(train: TrainSettings, videos: Mapping[str, int]) -> list[str]:
    """Return why these numbers of training `videos` by class are too few.

    One video of a class is not enough: its scene and its actor would be all that there is to learn.
    """
    faults, size, total = [], train.batch_size, sum(videos.values())
    if few := [f"{name} {count}" for name, count in videos.items() if count < 2]:
        faults.append(
            f"a class needs two training videos or more, but these have fewer: {', '.join(few)}; "
            "look into the audit, or leave the class out of dataset: classes"
        )
    if total < size:
        faults.append(
            f"train: batch_size: {size} is larger than the data: there are {total} training videos; "
            f"set it to {total} or less"
        )
    return faults
