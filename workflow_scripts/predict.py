"""Name the action in videos, with an exported model.

In: the folder that export.py wrote and any number of videos, or folders of videos, in any container that ffmpeg reads.
Out: for each video the five most probable classes, as a table, JSON or CSV. A file that cannot be read is answered by
name with the reason, the others go on, and the exit code is 1. Frames are extracted, chosen and cropped as in
evaluation, so a test video gets the answer that it has in predictions.csv.
Example: python workflow_scripts/predict.py --model results/reference/split1/seed10001/model video.avi
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from video3d.common.cli import add_output_arguments, write_output
from video3d.evaluation.protocols import PROTOCOLS, describe_protocol


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", help="videos, or folders of videos")
    parser.add_argument("--model", type=Path, required=True, help="exported folder: model.json, metadata.json …")
    parser.add_argument("--protocol", choices=PROTOCOLS, help="which views (default: the one that fits the training)")
    parser.add_argument("--settings", default="{}", help="YAML text or file; the section `evaluate` is used")
    parser.add_argument("--device", choices=("auto", "gpu", "cpu"), default="auto", help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="(default: %(default)s)")
    parser.add_argument("--some-answers", action="store_true", help="exit with 0 if at least one file has an answer")
    add_output_arguments(parser)
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

import pandas as pd

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.folders import visible_entries
from video3d.common.printable import printable, safe_cell
from video3d.common.settings import EvaluateSettings, read_settings
from video3d.dataset.split_table import Video
from video3d.evaluation.predictor import Predictor, predict_videos, top_labels
from video3d.frames.extraction import Decoders
from video3d.frames.frame_pack import Pack, PackWriter
from video3d.frames.video_status import file_problem

VIDEOS_AT_ONCE = 32
UNANSWERED_SHOWN = 10


@dataclass
class Answer:
    """What is known about one video in the end.

    status: ok, damaged (its readable part was used), unreadable or missing. best: (class name, probability), most
    probable first; empty if there was nothing to predict from.
    """

    video: str
    status: str
    message: str
    frames: int = 0
    clips: int = 0
    best: list[tuple[str, float]] = field(default_factory=list)


class Task(NamedTuple):
    """How to predict: with which network, by which protocol, with which settings (section `evaluate`)."""

    predictor: Predictor
    protocol: str
    settings: EvaluateSettings
    threads: int


def expand_folders(paths: Sequence[str]) -> list[Path]:
    """Return the given paths, and in place of a folder everything in it and below, hidden files left out.

    Raises UserError if there is nothing, and for an empty text, which as a path would be the current folder.
    """
    if not paths:
        raise UserError("no video is given: name videos, or folders of videos")
    if "" in paths:
        raise UserError(
            "an empty text is given as a video, as by a variable that is not set; name a video, or a folder"
        )
    found = [entry for path in paths for entry in visible_entries(Path(path))]
    if not found:
        raise UserError(f"no file in {', '.join(map(str, paths))}")
    return found


def predict(task: Task, videos: Sequence[Path]) -> Iterator[Answer]:
    """Yield an answer for each video, in their order; frames are kept on disk for some videos at a time."""
    for start in range(0, len(videos), VIDEOS_AT_ONCE):
        chunk = videos[start : start + VIDEOS_AT_ONCE]
        with tempfile.TemporaryDirectory(prefix="frames_") as folder:
            answers = extract(task, chunk, Path(folder) / "videos.zip")
            pack = Pack(Path(folder) / "videos.zip")
            if readable := [(name, answer) for name, answer in answers.items() if answer.frames]:
                predict_extracted(task, pack, readable)
            yield from answers.values()


def extract(task: Task, videos: Sequence[Path], path: Path) -> dict[str, Answer]:
    """Write the frames of `videos`, as training stores them, to a pack; return the answers so far by name in it."""
    names = {f"{position:05d}": video for position, video in enumerate(videos)}
    problems = {name: problem for name, video in names.items() if (problem := file_problem(video))}
    present = {name: video for name, video in names.items() if name not in problems}
    answers = {name: Answer(str(video), *problems.get(name, ("", ""))) for name, video in names.items()}
    frames = task.predictor.metadata["frames"]
    with (
        Decoders(present.values(), frames["short_side"], frames["quality"], task.threads) as decoders,
        PackWriter(path) as writer,
    ):
        for name, decoding in zip(present, decoders, strict=True):
            facts = writer.add(name, decoders.frames(decoding))
            result = decoding.result(*facts)
            answers[name] = Answer(str(decoding.video), result.status, result.message, facts.frames)
    return answers


def predict_extracted(task: Task, pack: Pack, answers: Sequence[tuple[str, Answer]]) -> None:
    """Complete answers whose frames are in the pack; where frames turn out unusable, that answer alone says so."""
    try:
        complete(task, pack, answers)
    except UserError as error:
        if len(answers) > 1:
            for answer in answers:
                predict_extracted(task, pack, [answer])
        else:
            answers[0][1].status, answers[0][1].message = "damaged", str(error.__cause__ or error)


def complete(task: Task, pack: Pack, answers: Sequence[tuple[str, Answer]]) -> None:
    """Predict the videos and write clips and classes into their answers."""
    predictor, settings = task.predictor, task.settings
    videos = [Video(name, pack.path.stem, 0, "", "test", answer.frames) for name, answer in answers]
    packs = {pack.path.stem: pack}
    predicted = predict_videos(predictor, videos, packs, task.protocol, settings, task.threads)
    for (_, answer), count, probabilities in zip(answers, predicted.clip_counts, predicted.probabilities, strict=True):
        answer.clips = int(count)
        answer.best = [
            (predictor.class_names[label], float(probabilities[label])) for label in top_labels(probabilities)
        ]


def as_table(answers: Sequence[Answer], protocol: str) -> pd.DataFrame:
    """Return a row per video: video, protocol, status, message, frames, clips, top1_class, top1_probability …

    Names are as a spreadsheet may show them.
    """
    rows = []
    for answer in answers:
        row = asdict(answer)
        best = row.pop("best")
        row = {"video": safe_cell(row.pop("video")), "protocol": protocol} | row
        for rank, (name, probability) in enumerate(best, 1):
            row |= {f"top{rank}_class": safe_cell(name), f"top{rank}_probability": round(probability, 6)}
        rows.append(row)
    return pd.DataFrame(rows)


def as_text(answers: Sequence[Answer], description: str) -> str:
    """Return the answers for people: a block of lines per video."""
    lines = [description]
    for answer in answers:
        note = "" if answer.status == "ok" else f"  {answer.status}: {answer.message}"
        lines.append(f"\n{printable(answer.video)}{note}")
        lines += [f"  {probability:7.2%}  {printable(name)}" for name, probability in answer.best]
    return "\n".join(lines)


def as_json(answers: Sequence[Answer], protocol: str, description: str) -> dict:
    """Return the answers for programs."""
    videos = []
    for answer in answers:
        best = [{"class": name, "probability": round(probability, 6)} for name, probability in answer.best]
        videos.append(asdict(answer) | {"best": best})
    return {"protocol": protocol, "protocol_description": description, "videos": videos}


def main() -> None:
    """Predict and write; fails after that if a file could not be answered."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings).evaluate
    predictor = Predictor(arguments.model, settings.engine, arguments.device, arguments.threads, settings.batch_size)
    protocol = arguments.protocol or predictor.metadata["protocol"]
    shape = predictor.clip["frames"], predictor.clip["size"]
    description = f"{protocol}: {describe_protocol(protocol, *shape, settings.uniform)}"
    start = time.perf_counter()
    task = Task(predictor, protocol, settings, arguments.threads)
    answers = list(predict(task, expand_folders(arguments.videos)))
    seconds = time.perf_counter() - start
    text = as_text(answers, description)
    write_output(arguments, as_json(answers, protocol, description), as_table(answers, protocol), text)
    unanswered = [answer for answer in answers if not answer.best]
    clips = sum(answer.clips for answer in answers)
    logging.info(
        "%d of %d videos answered, %d clips in %.1f s with the extraction of frames: %.1f clips/s (%s, %s, %d threads)",
        len(answers) - len(unanswered), len(answers), clips, seconds, clips / seconds, predictor.engine,
        predictor.device, arguments.threads,
    )  # fmt: skip
    if len(unanswered) == len(answers) or (unanswered and not arguments.some_answers):
        raise UserError(describe_unanswered(unanswered, len(answers)))
    if unanswered:
        logging.warning("%s", describe_unanswered(unanswered, len(answers)))


def describe_unanswered(unanswered: Sequence[Answer], total: int) -> str:
    """Return how many of `total` files have no answer, and why the first of them have none."""
    lines = [f"\n  - {printable(answer.video)}: {answer.message}" for answer in unanswered[:UNANSWERED_SHOWN]]
    more = f"\n  … and {len(unanswered) - len(lines)} more" if len(unanswered) > len(lines) else ""
    return f"{len(unanswered)} of {total} files have no answer:{''.join(lines)}{more}"


if __name__ == "__main__":
    sys.exit(run(main))
