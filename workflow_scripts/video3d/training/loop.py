"""The training loop: a fixed number of epochs over the training list, from which the last weights are kept.

Every random draw comes from the seed, the epoch and the video (or the step), never from what was drawn before. So the
weights do not depend on the number of loader workers, and a run that was killed and goes on from its checkpoint ends
with the weights of one that was not.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial

import numpy as np
import paddle

from video3d.clips import spatial_crops, temporal_sampling
from video3d.clips.clip_reader import fill_clip
from video3d.clips.loader import Batch
from video3d.common.console import progress
from video3d.common.errors import UserError
from video3d.compute.interruption import Interruption
from video3d.dataset.split_table import Video
from video3d.model.resnet3d import build_network
from video3d.training.attempts import Attempt
from video3d.training.checkpoint import State, Totals, load_checkpoint, save_checkpoint
from video3d.training.job import Job
from video3d.training.lr_schedule import learning_rate
from video3d.training.mixup import mix, targets
from video3d.training.progress_log import (
    announce,
    explain_exhausted_memory,
    report,
    stop_unless_finite,
    summary,
    warn_of_large_frames,
    watch,
)
from video3d.training.randomness import generator
from video3d.training.requirements import data_faults, settings_faults
from video3d.training.trainer import Learner
from video3d.weights.import_weights import check_settings, load_any
from video3d.weights.pdparams import apply_weights

SECONDS_BETWEEN_CHECKPOINTS = 600


@explain_exhausted_memory
def train(job: Job) -> tuple[paddle.nn.Layer, State]:
    """Train, or go on from the job's checkpoint; returns the network and the state with the history.

    Raises UserError if the data cannot fill a batch or a class, if a frame does not decode, if the loss is no longer a
    number, or if memory runs out.
    """
    check(job)
    settings = job.settings["train"]
    paddle.seed(job.seed)
    network = build_network(job.settings["model"], len(job.classes))
    start_from(network, job.settings, job.classes)
    learner = Learner(network, job.settings["clip"], settings, job.device, job.threads, job.team)
    state = restore(job, learner)
    announce(job, state, network)
    if state.epoch > settings["epochs"]:
        return network, state
    warn_of_large_frames(job, SMALLEST_CROPS[settings["crop"]])
    state.software = job.software
    first = job.team.rank == 0
    with (
        Attempt(job.checkpoints, job.device) if first else nullcontext() as attempt,
        Interruption(partial(keep, job, state, learner, attempt) if first else None) as interruption,
    ):
        while state.epoch <= settings["epochs"]:
            train_one_epoch(job, state, learner, interruption)
            learner.use_average()
            row = summary(state, current_rate(job, state, 0)) | validate(job, learner)
            report(row)
            with interruption.held_off():
                if state.epoch < settings["epochs"]:
                    learner.use_weights()
                state.history.append(row)
                state.epoch, state.step, state.totals = state.epoch + 1, 0, Totals()
                save(job, state, learner)
    return network, state


def train_one_epoch(job: Job, state: State, learner: Learner, interruption: Interruption) -> None:
    """Run the steps of `state.epoch` from `state.step` on, adding to `state.totals`; saves a checkpoint at times."""
    settings = job.settings["train"]
    order = training_order(job, state.epoch)
    steps = len(order)
    totals = state.totals
    saved = last = time.perf_counter()
    description = f"epoch {state.epoch}/{settings['epochs']}"
    with progress(total=steps, unit="step", description=description, initial=state.step) as bar:
        bar.disable |= job.team.rank > 0
        for batch in training_batches(job, state.epoch, order[state.step :]):
            waiting = time.perf_counter() - last
            rng = generator(job.seed, state.epoch, f"step {state.step} of process {job.team.rank}")
            labels = np.array([video.label for video in batch.items])
            wanted = targets(labels, len(job.classes), settings["label_smoothing"])
            mixed, wanted = mix(batch.clips, wanted, settings["mixup"], settings["cutmix"], rng)
            rate = current_rate(job, state, state.step / steps)
            loss, logits = learner.gradients(mixed, wanted, rate, random_seed=rng.getrandbits(31))
            stop_unless_finite(loss, state, order[state.step])
            correct, seen = job.team.total((logits.argmax(1) == labels).sum(), len(labels))
            with interruption.held_off():
                learner.update()
                state.step += 1
                totals.clips += int(seen)
                totals.correct += int(correct)
                totals.loss += loss * seen
                totals.waiting += waiting
                totals.seconds += time.perf_counter() - last
                last = time.perf_counter()
                if last - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    save(job, state, learner)
                    saved = last = time.perf_counter()
            bar.set_postfix(watch(totals), refresh=False)
            bar.update()


def validate(job: Job, learner: Learner) -> dict:
    """Mean loss and top-1 accuracy over the validation videos, each seen once as in evaluation; None without any."""
    if not job.validation:
        return {"validation_loss": None, "validation_top1": None}
    loss, correct = 0.0, 0
    for batch in validation_batches(job):
        labels = np.array([video.label for video in batch.items])
        logits = learner.predict(batch.clips).astype(np.float64)
        largest = logits.max(1)
        of_labels = logits[np.arange(len(labels)), labels]
        loss += float((np.log(np.exp(logits - largest[:, None]).sum(1)) + largest - of_labels).sum())
        correct += int((logits.argmax(1) == labels).sum())
    loss, correct = job.team.total(loss, correct)
    return {"validation_loss": loss / len(job.validation), "validation_top1": correct / len(job.validation)}


def training_batches(job: Job, epoch: int, order: Sequence[Sequence[Video]]) -> Iterator[Batch]:
    """This process's share of these batches of `training_order`, drawn and decoded for `epoch`."""
    videos = [video for batch in order for video in job.team.share(batch)]
    return job.loader.batches(videos, training_view(job, epoch))


def training_order(job: Job, epoch: int) -> list[list[Video]]:
    """The training videos in the batches of one epoch; an incomplete last batch is dropped."""
    size = job.settings["train"]["batch_size"]
    order = generator(job.seed, epoch, "order").sample(job.training, len(job.training))
    return [order[start : start + size] for start in range(0, len(order) - size + 1, size)]


def training_view(job: Job, epoch: int) -> Callable[[np.ndarray, Video], None]:
    """The function that draws a clip of a video for `epoch` and decodes it."""
    clip, settings = job.settings["clip"], job.settings["train"]
    sample, crop = SAMPLING[settings["sampling"]], CROPS[settings["crop"]]

    def fill(out: np.ndarray, video: Video) -> None:
        rng = generator(job.seed, epoch, video.name)
        indices = sample(video.frames, clip["frames"], rng)
        flip = rng.random() < settings["flip"]
        fill_clip(out, video, job.packs[video.class_name], indices, partial(crop, size=clip["size"], rng=rng), flip)
        if settings["colour_jitter"]:
            spatial_crops.change_colours(out, spatial_crops.random_colours(settings["colour_jitter"], rng))

    return fill


def validation_batches(job: Job) -> Iterator[Batch]:
    """This process's share of the validation videos: the middle clip of the sampling that is trained with."""
    sample, frames = SAMPLING[job.settings["train"]["sampling"]], job.settings["clip"]["frames"]

    def fill(out: np.ndarray, video: Video) -> None:
        fill_clip(out, video, job.packs[video.class_name], sample(video.frames, frames, None))

    return job.loader.batches(job.team.share(job.validation), fill)


SAMPLING = {"segments": temporal_sampling.segment_indices, "consecutive": temporal_sampling.consecutive_indices}
CROPS = {
    "multi_scale": spatial_crops.multi_scale_box,
    "corners": spatial_crops.corner_box,
    "random_resized": spatial_crops.random_resized_box,
    "centre": lambda width, height, size, rng: spatial_crops.centre_box(width, height),
}
SMALLEST_CROPS = {  # of the short side
    "multi_scale": spatial_crops.MULTI_SCALE_FACTORS[-1],
    "corners": spatial_crops.CORNER_SCALES[-1],
    "random_resized": spatial_crops.SMALLEST_AREA**0.5,
    "centre": 1.0,
}


def current_rate(job: Job, state: State, fraction: float) -> float:
    """The learning rate at `fraction` of the epoch that `state` is in."""
    losses = [row["validation_loss"] for row in state.history]
    return learning_rate(job.settings["train"], state.epoch, fraction, losses)


def start_from(network: paddle.nn.Layer, settings: dict, classes: Sequence[str]) -> None:
    """Begin with the weights of `train: weights:`, if any; the classifier is new unless theirs is of these `classes`.

    Raises UserError if they are of another network, or saw another input, than the sections `model` and `clip` say.
    """
    weights = settings["train"]["weights"]
    if weights:
        tensors, known = load_any(weights)
        check_settings(weights, known, settings["model"], settings["clip"])
        new_head = known.get("labels") != list(classes)
        apply_weights(network, tensors, new_head, source=weights)
        logging.info("starting from %s with %s classifier", weights, "a new" if new_head else "their")


def save(job: Job, state: State, learner: Learner) -> None:
    """Write a checkpoint, of a finished training the weights alone."""
    if job.team.rank == 0:
        finished = state.epoch > job.settings["train"]["epochs"]
        save_checkpoint(job.checkpoints, job.key, state, learner.weights() if finished else learner.state())


def keep(job: Job, state: State, learner: Learner, attempt: Attempt) -> str:
    """Save what was learned until now; returns what to say about it as the last words of the process."""
    save(job, state, learner)
    attempt.write()
    return (
        f"interrupted: the training is saved as it was before epoch {state.epoch}, step {state.step + 1}, in "
        f"{job.checkpoints}; the same command goes on from there"
    )


def restore(job: Job, learner: Learner) -> State:
    """Load the job's checkpoint into the learner; returns how far it is, or a fresh state if there is none."""
    found = load_checkpoint(job.checkpoints, job.key)
    if not found:
        return State()
    state, tensors = found
    learner.restore(tensors)
    return state


def check(job: Job) -> None:
    """Raise UserError if the videos cannot fill every class and a batch, or if a setting needs what is not there."""
    counts = Counter(video.label for video in job.training)
    videos = {name: counts[label] for label, name in enumerate(job.classes)}
    settings = job.settings["train"]
    if faults := [*data_faults(settings, videos), *settings_faults(settings, bool(job.validation))]:
        raise UserError("; ".join(faults))
