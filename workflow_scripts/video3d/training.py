"""The training loop: a fixed number of epochs over the training list, from which the last weights are kept.

Every random draw comes from the seed, the epoch and the video (or the step), never from what was drawn before. So the
weights do not depend on the number of loader workers, and a run that was killed and goes on from its checkpoint ends
with the weights of one that was not.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F

from video3d import augment, clips
from video3d.checkpoint import State, Totals, load_checkpoint, save_checkpoint
from video3d.classifier import Classifier
from video3d.console import UserError, progress
from video3d.data import Batch, Video, batches, fill_clip, generator
from video3d.packs import Pack
from video3d.resnet3d import build_network
from video3d.schedule import learning_rate

SECONDS_BETWEEN_CHECKPOINTS = 600


@dataclass(frozen=True)
class Job:
    """What to train: `settings` has the sections `model`, `clip` and `train` of the config, `key` stands for all."""

    settings: dict
    classes: Sequence[str]
    training: Sequence[Video]
    validation: Sequence[Video]
    packs: dict[str, Pack]
    seed: int
    workers: int
    checkpoints: Path
    key: str


def train(job: Job) -> tuple[paddle.nn.Layer, list[dict]]:
    """Train, or go on from the job's checkpoint; returns the network and the history, one row per epoch.

    Raises UserError if the data cannot fill a batch or a class, if a frame does not decode, or if the loss is no
    longer a number.
    """
    check_data(job)
    paddle.seed(job.seed)
    model = Classifier(build_network(job.settings["model"], len(job.classes)), job.settings["clip"])
    optimizer = build_optimizer(job.settings["train"], model)
    state = restore(job, model, optimizer)
    while state.epoch <= job.settings["train"]["epochs"]:
        train_one_epoch(job, state, model, optimizer)
        row = summary(job, state)
        if job.validation:
            row |= validate(job, model)
        report(row)
        state.history.append(row)
        state.epoch, state.step, state.totals = state.epoch + 1, 0, Totals()
        save(job, state, model, optimizer)
    return model.network, state.history


def train_one_epoch(job: Job, state: State, model: Classifier, optimizer: paddle.optimizer.Optimizer) -> None:
    """Run the steps of `state.epoch` from `state.step` on, adding to `state.totals`; saves a checkpoint at times."""
    settings = job.settings["train"]
    steps = len(job.training) // settings["batch_size"]
    totals = state.totals
    model.train()
    saved = last = time.perf_counter()
    with progress(total=steps, unit="step", description=f"epoch {state.epoch}/{settings['epochs']}") as bar:
        bar.update(state.step)
        for batch in training_batches(job, state.epoch, state.step):
            totals.waiting += time.perf_counter() - last
            optimizer.set_lr(learning_rate(settings, state.epoch, state.step / steps))
            paddle.seed(int(generator(job.seed, state.epoch, state.step).integers(2**31)))  # for dropout
            loss, correct = train_step(model, optimizer, batch)
            stop_unless_finite(loss, state, batch)
            state.step += 1
            totals.clips += len(batch.items)
            totals.loss += loss * len(batch.items)
            totals.correct += correct
            totals.seconds += time.perf_counter() - last
            last = time.perf_counter()
            if last - saved > SECONDS_BETWEEN_CHECKPOINTS:
                save(job, state, model, optimizer)
                saved = last = time.perf_counter()
            bar.set_postfix(watch(totals), refresh=False)
            bar.update()


def train_step(model: Classifier, optimizer: paddle.optimizer.Optimizer, batch: Batch) -> tuple[float, int]:
    """One update of the weights; returns the mean loss and the number of clips that were right before it."""
    labels = np.array([video.label for video in batch.items])
    logits = model(paddle.to_tensor(batch.clips))
    loss = F.cross_entropy(logits, paddle.to_tensor(labels))
    loss.backward()
    optimizer.step()
    optimizer.clear_grad()
    return float(loss), int((logits.numpy().argmax(1) == labels).sum())


def validate(job: Job, model: Classifier) -> dict:
    """Mean loss and top-1 accuracy over the validation videos, each seen once as in evaluation."""
    model.eval()
    loss, correct = 0.0, 0
    for batch in validation_batches(job):
        labels = np.array([video.label for video in batch.items])
        with paddle.no_grad():
            logits = model(paddle.to_tensor(batch.clips))
            loss += float(F.cross_entropy(logits, paddle.to_tensor(labels), reduction="sum"))
        correct += int((logits.numpy().argmax(1) == labels).sum())
    return {"validation_loss": loss / len(job.validation), "validation_top1": correct / len(job.validation)}


def training_batches(job: Job, epoch: int, first: int = 0) -> Iterator[Batch]:
    """The batches of one epoch from number `first` (from 0) on; an incomplete last one is dropped."""
    size = job.settings["train"]["batch_size"]
    order = generator(job.seed, epoch, "order").permutation(len(job.training))
    videos = [job.training[index] for index in order[first * size :]]
    return batches(videos, training_view(job, epoch), clip_shape(job), size, job.workers, drop_last=True)


def training_view(job: Job, epoch: int) -> Callable[[np.ndarray, Video], None]:
    """The function that draws a clip of a video for `epoch` and decodes it."""
    clip, settings = job.settings["clip"], job.settings["train"]
    sample = SAMPLING[settings["sampling"]]
    crop = CROPS[settings["crop"]]

    def fill(out: np.ndarray, video: Video) -> None:
        rng = generator(job.seed, epoch, video.name)
        indices = sample(video.frames, clip["frames"], rng)
        flip = rng.random() < settings["flip"]
        fill_clip(out, video, job.packs[video.class_name], indices, partial(crop, size=clip["size"], rng=rng), flip)

    return fill


def validation_batches(job: Job) -> Iterator[Batch]:
    """The validation videos in their order, each once: the middle clip of the sampling that is trained with."""
    clip, settings = job.settings["clip"], job.settings["train"]
    sample = SAMPLING[settings["sampling"]]

    def fill(out: np.ndarray, video: Video) -> None:
        fill_clip(out, video, job.packs[video.class_name], sample(video.frames, clip["frames"], None))

    return batches(job.validation, fill, clip_shape(job), settings["batch_size"], job.workers)


SAMPLING = {"segments": clips.segment_indices, "consecutive": clips.consecutive_indices}
CROPS = {"multi_scale": augment.multi_scale_box}


def clip_shape(job: Job) -> tuple[int, int, int, int]:
    """Shape of one decoded clip: (T, H, W, 3)."""
    clip = job.settings["clip"]
    return clip["frames"], clip["size"], clip["size"], 3


def build_optimizer(settings: dict, model: paddle.nn.Layer) -> paddle.optimizer.Optimizer:
    """Stochastic gradient descent with momentum; the L2 penalty is on every parameter, norms and biases included."""
    return paddle.optimizer.Momentum(
        learning_rate=settings["learning_rate"],
        momentum=settings["momentum"],
        weight_decay=settings["weight_decay"],
        parameters=model.parameters(),
    )


def save(job: Job, state: State, model: Classifier, optimizer: paddle.optimizer.Optimizer) -> None:
    """Write a checkpoint: the weights and, until the training is finished, the optimiser's memory of each."""
    tensors = {f"weights/{name}": tensor.numpy() for name, tensor in model.network.state_dict().items()}
    if state.epoch <= job.settings["train"]["epochs"]:
        memory = optimizer.state_dict()
        for name, parameter in model.network.named_parameters():
            for key in memory:
                if key.startswith(f"{parameter.name}_"):
                    tensors[f"optimizer/{name}/{key.removeprefix(parameter.name)}"] = memory[key].numpy()
    save_checkpoint(job.checkpoints, job.key, state, tensors)


def restore(job: Job, model: Classifier, optimizer: paddle.optimizer.Optimizer) -> State:
    """Load the job's checkpoint into model and optimiser; returns how far it is, or a fresh state if there is none."""
    found = load_checkpoint(job.checkpoints, job.key)
    if not found:
        return State()
    state, tensors = found
    names = {name: parameter.name for name, parameter in model.network.named_parameters()}
    memory = {}
    for name in [name for name in tensors if name.startswith("optimizer/")]:
        _, parameter, suffix = name.split("/")
        memory[names[parameter] + suffix] = paddle.to_tensor(tensors.pop(name))
    optimizer.set_state_dict(memory)
    model.network.set_state_dict({name.removeprefix("weights/"): value for name, value in tensors.items()})
    if state.epoch > job.settings["train"]["epochs"]:
        logging.info("this training is already finished: its weights are taken from %s", job.checkpoints)
    else:
        logging.info("going on from epoch %d, step %d of %s", state.epoch, state.step, job.checkpoints)
    return state


def check_data(job: Job) -> None:
    """Raise UserError if there is a class without a training video, or less than one batch of videos."""
    present = {video.label for video in job.training}
    missing = [name for label, name in enumerate(job.classes) if label not in present]
    if missing:
        raise UserError(
            f"no training video for the class{'es' * (len(missing) > 1)} {', '.join(missing)}; "
            "look into the audit, or leave the class out of dataset: classes"
        )
    size = job.settings["train"]["batch_size"]
    if len(job.training) < size:
        raise UserError(
            f"train: batch_size: {size} is larger than the data: there are {len(job.training)} training videos; "
            f"set it to {len(job.training)} or less"
        )


def stop_unless_finite(loss: float, state: State, batch: Batch) -> None:
    """Raise UserError with the videos of the batch if the loss is infinite or not a number."""
    if not np.isfinite(loss):
        raise UserError(
            f"the loss became {loss} in epoch {state.epoch}, step {state.step + 1}; lower train: learning_rate, or "
            f"look at these videos: {', '.join(video.name for video in batch.items)}"
        )


def watch(totals: Totals) -> dict[str, str]:
    """What stands beside the progress bar."""
    return {
        "clips/s": f"{totals.clips / totals.seconds:.1f}",
        "loss": f"{totals.loss / totals.clips:.3f}",
        "waiting": f"{totals.waiting / totals.seconds:.0%}",
    }


def summary(job: Job, state: State) -> dict:
    """The row of history.csv of the epoch that just ended."""
    totals = state.totals
    return {
        "epoch": state.epoch,
        "learning_rate": learning_rate(job.settings["train"], state.epoch, 0),
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
