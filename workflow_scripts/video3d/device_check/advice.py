"""What to set, and how long the default run takes, from what was measured."""

from collections.abc import Sequence

from video3d.common.settings import Settings
from video3d.device_check.rows import OK, Row

# Videos of the three official splits, as their lists name them (tests/dataset/test_ucf101.py counts them).
TRAINING_VIDEOS, TEST_VIDEOS = (9537, 9586, 9624), (3783, 3734, 3696)
USABLE = 0.9  # of the memory; the rest is for what else uses the device
ENOUGH = 1.1  # clips that the loader gives, as a multiple of what the training takes


def advise(rows: Sequence[Row], settings: Settings) -> dict[str, object]:
    """Return `precision`, `batch_size`, `gradient_accumulation_steps`, `threads` and `hours`, as far as known.

    The batch size of the recipe decides what is learned, so it stays: where it does not fit, it is taken in parts.
    """
    measured = {kind: of_kind(rows, kind) for kind in ("training", "evaluation", "loader")}
    advice: dict[str, object] = {"batch_size": settings.train.batch_size}
    if measured["training"]:
        fastest = max(measured["training"], key=lambda row: row.values["rate"])
        precision, rate = fastest.values["precision"], fastest.values["rate"]
        own = [row.values for row in measured["training"] if row.values["precision"] == precision]
        advice |= {"precision": precision, "training_rate": rate}
        if parts := parts_that_fit(own, settings.train.batch_size):
            advice["gradient_accumulation_steps"] = parts
        if measured["loader"]:
            enough = [row for row in measured["loader"] if row.values["rate"] >= ENOUGH * rate]
            loader = enough[0] if enough else max(measured["loader"], key=lambda row: row.values["rate"])
            advice["loader_threads"] = loader.values["workers"]
            rate = min(rate, loader.values["rate"])
        if measured["evaluation"]:
            evaluated = sum(TEST_VIDEOS) / max(row.values["rate"] for row in measured["evaluation"])
            advice["hours"] = (settings.train.epochs * sum(TRAINING_VIDEOS) / rate + evaluated) / 3600
    return advice


def of_kind(rows: Sequence[Row], kind: str) -> list[Row]:
    """Return the rows that measured `kind`; a precision counts only if its losses were not found wrong."""
    wrong = {row.name for row in rows if row.verdict != OK}
    found = [row for row in rows if row.name.startswith(kind) and row.verdict == OK and "rate" in row.values]
    return [row for row in found if row.values.get("precision") not in wrong]


def parts_that_fit(measured: Sequence[dict], batch_size: int) -> int | None:
    """Return in how many parts a batch fits into the memory, taken as linear in the size of the part.

    None if fewer than two sizes were measured, or if not even one clip fits.
    """
    if len(measured) < 2:
        return None
    small, large = sorted(measured, key=lambda values: values["batch"])[:: len(measured) - 1]
    slope = (large["memory"] - small["memory"]) / (large["batch"] - small["batch"])
    parts = 1
    while parts <= batch_size:
        if small["memory"] + slope * (batch_size / parts - small["batch"]) <= USABLE * small["total"]:
            return parts
        parts *= 2
    return None


def sentences(advice: dict[str, object]) -> list[str]:
    """Return the advice as lines for people."""
    if "precision" not in advice:
        return ["no advice: no training could be measured"]
    parts = advice.get("gradient_accumulation_steps")
    train = f"batch_size: {advice['batch_size']}, precision: {advice['precision']}"
    train += f", gradient_accumulation_steps: {parts}" if parts and parts > 1 else ""
    lines = [f"recommended: train: {{{train}}}"]
    if parts is None:
        lines.append("whether this batch size fits into the memory is not known")
    if "loader_threads" in advice:
        lines.append(f"threads that keep the training in clips: {advice['loader_threads']}")
    if "hours" in advice:
        lines.append(
            f"the default run, three splits, trains and evaluates for about {advice['hours']:.1f} hours here; "
            "download and extraction come on top"
        )
    return lines
