"""What is said about a training while it runs, and when it cannot go on."""

import functools
import logging
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from paddle import nn

from video3d.clips.spatial_crops import decode
from video3d.common.errors import UserError
from video3d.dataset.split_table import Video
from video3d.model.layer_costs import multiply_adds
from video3d.training.checkpoint import State, Totals
from video3d.training.job import Job

LONG = 10 * 60
PASSES = 3  # the forward pass, the gradients of the inputs, the gradients of the weights
SHARE_OF_PEAK = 0.6


def announce(job: Job, state: State, network: nn.Layer) -> None:
    """Say where the training starts and, on a CPU, how long it will take if that is more than ten minutes."""
    if job.team.rank > 0:
        return
    epochs = job.settings["train"]["epochs"]
    if state.epoch > epochs:
        logging.info("this training is already finished: its weights are taken from %s", job.checkpoints)
        return
    if state.epoch > 1 or state.step:
        logging.info("going on from epoch %d, step %d, of %s", state.epoch, state.step + 1, job.checkpoints)
        changed = [name for name in ("versions", "device") if state.software.get(name) != job.software.get(name)]
        for name in changed:
            logging.warning(
                "its %s: %s until now, %s from now on; the weights will not be those of an unbroken run, bit for bit",
                name, state.software.get(name), job.software.get(name),
            )  # fmt: skip
    if job.device == "cpu":
        clip = job.settings["clip"]
        operations = 2 * PASSES * multiply_adds(network, clip["frames"], clip["size"])
        per_second = job.team.size * job.threads * SHARE_OF_PEAK * products_per_second()
        seconds = operations * len(job.training) * (epochs + 1 - state.epoch) / per_second
        if seconds > LONG:
            logging.info(
                "on this CPU the training will take about %s: set a smaller model: width or clip: size, fewer "
                "dataset: classes or train: epochs, or use a GPU",
                duration(seconds),
            )


def warn_of_large_frames(job: Job, smallest_crop: float) -> None:
    """Say which setting saves time if even the smallest crop, a share of the short side, is shrunk to less than half.

    Frames of one size are assumed: those of the first training video.
    """
    video = job.training[0]
    (jpeg,) = job.packs[video.class_name].jpegs(video.name, [0])
    size = job.settings["clip"]["size"]
    short_side, enough = min(decode(jpeg).shape[:2]), math.ceil(2 * size / smallest_crop)
    if job.team.rank == 0 and short_side > enough:
        logging.warning(
            "frames have a short side of %d pixels, so even the smallest crop is more than twice as large as clip: "
            "size: %d; frames: {short_side: %d} would take less disk and time to decode, for somewhat softer pictures",
            short_side, size, enough,
        )  # fmt: skip


def products_per_second() -> float:
    """Floating-point operations per second of one thread in a matrix product, measured in about 0.1 s."""
    side = 512
    matrix = np.ones((side, side), np.float32)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times)


def duration(seconds: float) -> str:
    """A rough time for people: minutes, hours or days."""
    for unit, length in (("days", 86400), ("hours", 3600)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"


def watch(totals: Totals) -> dict[str, str]:
    """What stands beside the progress bar."""
    return {
        "clips/s": f"{totals.clips / totals.seconds:.1f}",
        "loss": f"{totals.loss / totals.clips:.3f}",
        "waiting": f"{totals.waiting / totals.seconds:.0%}",
    }


def summary(state: State, rate: float) -> dict:
    """The row of history.csv of the epoch that just ended, without its validation."""
    totals = state.totals
    return {
        "epoch": state.epoch,
        "learning_rate": rate,
        "loss": totals.loss / totals.clips,
        "top1": totals.correct / totals.clips,
        "validation_loss": None,
        "validation_top1": None,
        "clips_per_second": totals.clips / totals.seconds,
        "wait_share": totals.waiting / totals.seconds,
        "seconds": totals.seconds,
    }


def report(row: dict) -> None:
    """One line for the epoch that just ended."""
    validation = f", validation top-1 {row['validation_top1']:.1%}" if row["validation_top1"] is not None else ""
    logging.info(
        "epoch %d: loss %.4f, top-1 %.1f%%%s, %.1f clips/s, %.0f%% of %.0f s waiting for data",
        row["epoch"], row["loss"], 100 * row["top1"], validation,
        row["clips_per_second"], 100 * row["wait_share"], row["seconds"],
    )  # fmt: skip


def stop_unless_finite(loss: float, state: State, batch: Sequence[Video]) -> None:
    """Raise UserError with the videos of the whole batch if its loss is infinite or not a number."""
    if not np.isfinite(loss):
        raise UserError(
            f"the loss became {loss} in epoch {state.epoch}, step {state.step + 1}; lower train: learning_rate, or "
            f"look at these videos: {', '.join(video.name for video in batch)}"
        )


def explain_exhausted_memory(function: Callable) -> Callable:
    """Let `function` raise a UserError that says which setting to lower when the memory of the device runs out."""

    @functools.wraps(function)
    def explained(*arguments: object, **named: object) -> object:
        try:
            return function(*arguments, **named)
        except (MemoryError, RuntimeError, SystemError) as error:
            text = str(error)
            if isinstance(error, MemoryError) or "out of memory" in text.lower() or "ResourceExhausted" in text:
                raise UserError(
                    "the memory of the device ran out; raise train: gradient_accumulation_steps (the same batch in "
                    "more parts), lower train: batch_size, or lower clip: size or model: width"
                ) from error
            raise

    return explained
