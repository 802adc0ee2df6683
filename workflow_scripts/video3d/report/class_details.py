"""Of every class what its section of the page shows: its confusions, its worst videos and their probabilities."""

from dataclasses import dataclass

import pandas as pd

from video3d.report.clip_sprites import ClipName
from video3d.report.results import Run

WORST, FEWEST_WORST = 100, 3  # clips of all classes together; clips of a class at least
CONFUSIONS = 8  # shown of a class, in either direction
TOP = 5


@dataclass(frozen=True)
class Answer:
    """What a network said of a video: the most probable classes with their probabilities, the first is the answer."""

    clip: ClipName
    seed: int
    correct: bool
    top: list[tuple[str, float]]


@dataclass(frozen=True)
class ClassDetails:
    """A class: its row of `analysis.class_accuracy`, what it was taken for, what was taken for it, worst answers."""

    name: str
    accuracy: dict
    taken_for: list[dict]
    taken_for_it: list[dict]
    worst: list[Answer]


def collect_details(run: Run, classes: pd.DataFrame, pairs: pd.DataFrame, worst: int) -> list[ClassDetails]:
    """Return the details of all classes that were tested, in the order of their names.

    Args:
        run: the run.
        classes: as from `analysis.class_accuracy`.
        pairs: as from `analysis.confused_pairs`.
        worst: how many videos of a class are shown.
    """
    answers = dict(list(run.first_predictions.groupby("class")))
    return [
        ClassDetails(
            name=row["class"],
            accuracy=row,
            taken_for=pairs[pairs["class"] == row["class"]].head(CONFUSIONS).to_dict("records"),
            taken_for_it=pairs[pairs["predicted_class"] == row["class"]].head(CONFUSIONS).to_dict("records"),
            worst=worst_answers(answers[row["class"]], worst),
        )
        for row in classes.sort_values("class").to_dict("records")
    ]


def number_of_worst(num_classes: int) -> int:
    """Return how many worst videos of a class are shown: more where there are few classes."""
    return min(6, max(FEWEST_WORST, WORST // num_classes))


def list_clips(details: list[ClassDetails]) -> list[ClipName]:
    """Return the clips of all classes, the worst of every class before the second of any."""
    ranks = max((len(each.worst) for each in details), default=0)
    return [each.worst[rank].clip for rank in range(ranks) for each in details if rank < len(each.worst)]


def worst_answers(answers: pd.DataFrame, number: int) -> list[Answer]:
    """Return the worst answers about videos of one class, one per video: surest mistakes, then least sure right ones.

    `answers` are rows of predictions.csv with columns split and seed.
    """
    sure = answers["top1_probability"].where(~answers["correct"], -answers["top1_probability"])
    order = answers.assign(badness=sure).sort_values("badness", ascending=False, kind="stable")
    return [_answer(row) for row in order.drop_duplicates("video").head(number).to_dict("records")]


def _answer(row: dict) -> Answer:
    ranks = [rank for rank in range(1, TOP + 1) if isinstance(row.get(f"top{rank}_class"), str)]
    top = [(row[f"top{rank}_class"], row[f"top{rank}_probability"]) for rank in ranks]
    clip = ClipName(row["class"], row["video"], row["split"])
    return Answer(clip, row["seed"], row["correct"], top or [(row["predicted_class"], row["top1_probability"])])
