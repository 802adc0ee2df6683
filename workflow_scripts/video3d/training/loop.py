"""The training loop: a fixed number of epochs over the training list, from which the last weights are kept.

Every random draw comes from the seed, the epoch and the video (or the step), never from what was drawn before. So the
weights do not depend on the number of loader workers, and a run that was killed and goes on from its checkpoint ends
with the weights of one that was not.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import paddle

from video3d.common.console import progress
from video3d.common.settings import Settings, TrainSettings
from video3d.compute.distributed import SINGLE_PROCESS, ProcessGroup
from video3d.compute.interruption import Interruption
from video3d.model.resnet3d import build_network
from video3d.training.attempts import Attempt
from video3d.training.batches import BatchSource, TrainingData
from video3d.training.checkpoint import Checkpoint, State, Totals
from video3d.training.lr_schedule import learning_rate
from video3d.training.mixup import class_weights, mix_batch, soft_targets
from video3d.training.progress_log import (
    explain_exhausted_memory,
    history_row,
    log_epoch,
    log_start,
    log_time_left,
    progress_values,
    require_finite_loss,
)
from video3d.training.randomness import generator
from video3d.training.start import load_start, log_expected_time, require_trainable
from video3d.training.trainer import Trainer

SECONDS_BETWEEN_CHECKPOINTS = 600


class Machine(NamedTuple):
    """What one process computes with.

    threads: of the CPU, for Paddle. workers: threads that decode frames. group: the processes that share each batch.
    software: versions, commit and device, to be kept with the weights; they are no part of the checkpoint's key, so
    that finished weights are taken over wherever they are. trainings: the weights that the trainings of the run end
    with, which tell how many are left.
    """

    device: str = "cpu"
    threads: int = 1
    workers: int = 1
    group: ProcessGroup = SINGLE_PROCESS
    software: Mapping = MappingProxyType({})
    trainings: Sequence[Path] = ()


@explain_exhausted_memory
def train(
    settings: Settings, data: TrainingData, seed: int, checkpoint: Checkpoint, machine: Machine
) -> tuple[paddle.nn.Layer, State]:
    """Train, or go on from a checkpoint; return the network and the state with the history.

    Args:
        settings: the sections `model`, `clip` and `train` count.
        data: the videos.
        seed: of all random draws.
        checkpoint: where the state of this training is kept; also that of a finished one.
        machine: what computes.

    Raises UserError if the data cannot fill a batch or a class, if a frame does not decode, if the loss is no longer a
    number, or if memory runs out.
    """
    require_trainable(settings.train, data)
    paddle.seed(seed)
    network = build_network(settings.model.model_dump(), len(data.class_names))
    load_start(network, settings, data.class_names)
    trainer = Trainer(network, settings.clip, settings.train, machine.device, machine.threads, machine.group)
    state = restore(checkpoint, trainer)
    epochs, first = settings.train.epochs, machine.group.rank == 0
    if first:
        log_start(state, epochs, checkpoint.folder, machine.software)
    if state.epoch > epochs:
        return network, state
    if first:
        cpu_threads = machine.group.size * machine.threads if machine.device == "cpu" else None
        log_expected_time(network, settings, data, epochs + 1 - state.epoch, cpu_threads)
    state.software = dict(machine.software)
    batches = BatchSource(data, settings.clip, settings.train, seed, machine.workers, machine.group)
    with (
        Attempt(checkpoint.folder, machine.device) if first else nullcontext() as attempt,
        Interruption(partial(keep, checkpoint, state, trainer, attempt) if first else None) as interruption,
    ):
        while state.epoch <= epochs:
            train_one_epoch(trainer, batches, state, checkpoint, interruption)
            row = history_row(state, current_rate(settings.train, state))
            with trainer.averaged_weights():
                row |= validate(trainer, batches)
            log_epoch(row)
            with interruption.held_off():
                state.history.append(row)
                state.epoch, state.step, state.totals = state.epoch + 1, 0, Totals()
                if state.epoch > epochs:
                    trainer.adopt_average()
                save(checkpoint, state, trainer)
            if first:
                log_time_left(state.history, epochs, machine.trainings)
    return network, state


def train_one_epoch(
    trainer: Trainer, batches: BatchSource, state: State, checkpoint: Checkpoint, interruption: Interruption
) -> None:
    """Run the steps of `state.epoch` from `state.step` on, adding to `state.totals`; save a checkpoint at times.

    Args:
        trainer: learns.
        batches: to learn from.
        state: how far the training is; changed.
        checkpoint: where to save.
        interruption: is held off while the weights and the state change.
    """
    settings, group, totals = trainer.settings, trainer.group, state.totals
    order = batches.order(state.epoch)
    steps, num_classes = len(order), len(batches.data.class_names)
    weights = class_weights(settings.class_weights, [video.label for video in batches.data.training], num_classes)
    saved = last = time.perf_counter()
    description = f"epoch {state.epoch}/{settings.epochs}"
    with progress(total=steps, unit="step", description=description, initial=state.step) as bar:
        bar.disable |= group.rank > 0
        for batch in batches.training(state.epoch, order[state.step :]):
            waiting = time.perf_counter() - last
            rng = generator(batches.seed, state.epoch, f"step {state.step} of process {group.rank}")
            targets = soft_targets(batch.labels, num_classes, settings.label_smoothing)
            clips, targets = mix_batch(batch.clips, targets, settings.mixup, settings.cutmix, rng)
            rate = current_rate(settings, state, state.step / steps)
            loss, logits = trainer.compute_gradients(clips, targets * weights, rate, random_seed=rng.getrandbits(31))
            require_finite_loss(loss, state, order[state.step])
            correct, seen = group.all_reduce_sum((logits.argmax(1) == batch.labels).sum(), len(batch.labels))
            with interruption.held_off():
                trainer.update_weights()
                state.step += 1
                totals.clips += int(seen)
                totals.correct += int(correct)
                totals.loss += loss * seen
                totals.waiting += waiting
                totals.seconds += time.perf_counter() - last
                last = time.perf_counter()
                if last - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    save(checkpoint, state, trainer)
                    saved = last = time.perf_counter()
            bar.set_postfix(progress_values(totals), refresh=False)
            bar.update()


def validate(trainer: Trainer, batches: BatchSource) -> dict:
    """Return mean cross-entropy and top-1 accuracy over the validation videos, each seen once; None without any."""
    count = len(batches.data.validation)
    if not count:
        return {"validation_loss": None, "validation_top1": None}
    loss, correct = 0.0, 0
    for batch in batches.validation():
        logits = trainer.predict(batch.clips).astype(np.float64)
        largest = logits.max(1)
        of_labels = logits[np.arange(len(logits)), batch.labels]
        loss += float((np.log(np.exp(logits - largest[:, None]).sum(1)) + largest - of_labels).sum())
        correct += int((logits.argmax(1) == batch.labels).sum())
    loss, correct = trainer.group.all_reduce_sum(loss, correct)
    return {"validation_loss": loss / count, "validation_top1": correct / count}


def current_rate(train: TrainSettings, state: State, fraction: float = 0.0) -> float:
    """Return the learning rate at `fraction` of the epoch that `state` is in, by the section `train`."""
    losses = [row["validation_loss"] for row in state.history]
    return learning_rate(train, state.epoch, fraction, losses)


def restore(checkpoint: Checkpoint, trainer: Trainer) -> State:
    """Load the checkpoint into the trainer; return how far it is, or a fresh state if there is none."""
    found = checkpoint.load()
    if not found:
        return State()
    state, tensors = found
    trainer.restore(tensors)
    return state


def save(checkpoint: Checkpoint, state: State, trainer: Trainer) -> None:
    """Write a checkpoint, of a finished training the weights alone; the first process does it for all."""
    if trainer.group.rank == 0:
        finished = state.epoch > trainer.settings.epochs
        checkpoint.save(state, trainer.weights() if finished else trainer.state())


def keep(checkpoint: Checkpoint, state: State, trainer: Trainer, attempt: Attempt) -> str:
    """Save what was learned until now, and the time it took; return the last words of the process."""
    save(checkpoint, state, trainer)
    attempt.write()
    return (
        f"interrupted: the training is saved as it was before epoch {state.epoch}, step {state.step + 1}, in "
        f"{checkpoint.folder}; the same command goes on from there"
    )
