"""What a training says while it runs, and when it cannot go on."""

import functools
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from paddle import nn

from video3d.common.errors import UserError
from video3d.common.settings import ClipSettings
from video3d.dataset.split_table import Video
from video3d.model.layer_costs import multiply_adds
from video3d.training.checkpoint import State, Totals

LONG_SECONDS = 10 * 60
PASSES = 3  # the forward pass, the gradients of the inputs, the gradients of the weights
SHARE_OF_PEAK = 0.6


def log_start(state: State, epochs: int, folder: Path, software: Mapping) -> None:
    """Say where the training starts if it does not start at its beginning.

    Args:
        state: how far it is.
        epochs: after how many it is finished.
        folder: where its checkpoint is.
        software: what will compute, to be compared with what has computed until now.
    """
    if state.epoch > epochs:
        logging.info("this training is already finished: its weights are taken from %s", folder)
    elif state.epoch > 1 or state.step:
        logging.info("going on from epoch %d, step %d, of %s", state.epoch, state.step + 1, folder)
        for name in ("versions", "device"):
            if state.software.get(name) != software.get(name):
                logging.warning(
                    "its %s: %s until now, %s from now on; the weights will not be those of an unbroken run, "
                    "bit for bit", name, state.software.get(name), software.get(name),
                )  # fmt: skip


def log_cpu_time(operations: float, threads: int) -> None:
    """Say how long so many floating-point operations take on so many threads if that is more than ten minutes."""
    seconds = operations / (threads * SHARE_OF_PEAK * operations_per_second())
    if seconds > LONG_SECONDS:
        logging.info(
            "on this CPU the training will take about %s: set a smaller model: width or clip: size, fewer "
            "dataset: classes or train: epochs, or use a GPU",
            format_duration(seconds),
        )


def training_operations(network: nn.Layer, clip: ClipSettings, clips: int) -> float:
    """Return how many floating-point operations the training of `network` with so many clips takes."""
    return 2 * PASSES * multiply_adds(network, clip.frames, clip.size) * clips


def warn_of_large_frames(short_side: int, size: int, smallest_crop: float) -> None:
    """Say which setting saves time if even the smallest crop is shrunk to less than half.

    Args:
        short_side: of the frames, in pixels.
        size: of the clip, in pixels.
        smallest_crop: as a share of the short side.
    """
    enough = math.ceil(2 * size / smallest_crop)
    if short_side > enough:
        logging.warning(
            "frames have a short side of %d pixels, so even the smallest crop is more than twice as large as clip: "
            "size: %d; frames: {short_side: %d} would take less disk and time to decode, for somewhat softer pictures",
            short_side, size, enough,
        )  # fmt: skip


def operations_per_second() -> float:
    """Measure, in about 0.1 s, the floating-point operations per second of one thread in a matrix product."""
    side = 512
    matrix = np.ones((side, side), np.float32)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times)


def format_duration(seconds: float) -> str:
    """Return a rough time for people, in seconds, minutes, hours or days."""
    for unit, length in (("days", 86400), ("hours", 3600)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} s"


def progress_values(totals: Totals) -> dict[str, str]:
    """Return what stands beside the progress bar."""
    return {
        "clips/s": f"{totals.clips / totals.seconds:.1f}",
        "loss": f"{totals.loss / totals.clips:.3f}",
        "waiting": f"{totals.waiting / totals.seconds:.0%}",
    }


def history_row(state: State, rate: float) -> dict:
    """Return the row of history.csv for the epoch that just ended; the values of its validation are None."""
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


def log_epoch(row: dict) -> None:
    """Say what came of the epoch that just ended, in one line."""
    validation = f", validation top-1 {row['validation_top1']:.1%}" if row["validation_top1"] is not None else ""
    logging.info(
        "epoch %d: loss %.4f, top-1 %.1f%%%s, %.1f clips/s, %.0f%% of %.0f s waiting for data",
        row["epoch"], row["loss"], 100 * row["top1"], validation,
        row["clips_per_second"], 100 * row["wait_share"], row["seconds"],
    )  # fmt: skip


def log_time_left(history: Sequence[Mapping], epochs: int, trainings: Sequence[Path]) -> None:
    """Say how long the epochs that are left take, and the other trainings of the run, by the epochs that were measured.

    Args:
        history: a row of each epoch that ended; `seconds` counts, which leaves out its validation.
        epochs: of the whole training.
        trainings: the weights that the trainings of the run end with, this one's included; those that are there are
            finished, and each of the others takes as long as this one.
    """
    if not (left := epochs - len(history)):
        return
    seconds = float(np.mean([row["seconds"] for row in history]))
    text = f"epochs left: {left}, about {format_duration(seconds * left)}"
    if (others := sum(not path.exists() for path in trainings) - 1) > 0:
        text += f"; trainings left after this one: {others} of {len(trainings)}, "
        text += f"about {format_duration(seconds * epochs * others)} one at a time"
    logging.info(text)


def require_finite_loss(loss: float, state: State, batch: Sequence[Video]) -> None:
    """Raise UserError with the videos of the whole batch if its loss is infinite or not a number."""
    if not np.isfinite(loss):
        raise UserError(
            f"the loss became {loss} in epoch {state.epoch}, step {state.step + 1}; lower train: learning_rate, or "
            f"look at these videos: {', '.join(video.name for video in batch)}"
        )


def explain_exhausted_memory(function: Callable) -> Callable:
    """Decorate `function` to raise a UserError that names the settings to change if the device runs out of memory."""

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
