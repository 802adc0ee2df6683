"""What a reader must know before any number: notes, leaks, and what is not as in full UCF101."""

import pandas as pd

from video3d.common.printable import printable_lines
from video3d.dataset.audit_table import FAULTS
from video3d.dataset.video_table import UNKNOWN_GROUPS
from video3d.report.headline import MEAN, Score, percent
from video3d.report.provenance import describe_validation
from video3d.report.published import data_kind
from video3d.report.results import Run

UNEQUAL = 5  # times as many videos in the largest class as in the smallest
FEW_GROUPS = 3  # of a class in the test of a split


def collect_notices(run: Run, scores: list[Score], audit: pd.DataFrame) -> list[str]:
    """Return what must be said first: leaks, the run's own note, what is not as in full UCF101, given weights.

    `audit` is audit.csv: its faulty videos are in no split table.
    """
    settings = run.settings
    said = leak_notices(run)
    said += [settings.report.note] if settings.report.note else []
    kind, num_classes = data_kind(run), len(run.class_names)
    chance = f"guessing gives {percent(1 / num_classes)}"
    if kind == "other":
        said.append(f"Not UCF101: data set {settings.dataset.name} with {num_classes} classes; {chance}.")
    if kind == "subset":
        subset = f"A subset of UCF101: {num_classes} of 101 classes; {chance}."
        said.append(f"{subset} Not comparable with published numbers.")
    if settings.dataset.format != "ucf101":
        said += own_data_notices(run, audit[audit["status"] != "unlisted"])
    faulty = int(audit["status"].isin(FAULTS).sum())
    if faulty:
        tested = {score.split: score.left_out for score in scores if score.split != MEAN and score.left_out}
        where = ", ".join(f"{count} of the test videos of split {split}" for split, count in tested.items())
        said.append(
            f"{faulty} faulty videos were left out" + (f", {where}" if where else "") + "; the audit names them."
        )
    if kind != "other" and len(settings.splits) < 3:
        splits = ", ".join(map(str, settings.splits))
        said.append(f"Only {len(settings.splits)} of the three official splits: {splits}.")
    if groups := describe_validation(run):
        said.append(f"Held out of the training list for validation, and not trained on: {groups}.")
    return [printable_lines(notice) for notice in said + weights_notices(run)]


def own_data_notices(run: Run, listed: pd.DataFrame) -> list[str]:
    """Return what makes the accuracy of own videos doubtful; `listed` is audit.csv without unlisted videos."""
    said = []
    if (listed["video"] == listed["group"]).all():
        said.append(UNKNOWN_GROUPS[0].upper() + UNKNOWN_GROUPS[1:] + ".")
    if copies := int((listed["status"] == "duplicate").sum()):
        said.append(
            f"Copies: {copies} of {len(listed)} videos have the frames of another one, which may be on the other "
            "side of a split: the audit names them."
        )
    videos = listed[~listed["status"].isin(FAULTS)].groupby("class").size().sort_values(kind="stable")
    if videos.iloc[-1] >= UNEQUAL * videos.iloc[0]:
        said.append(
            f"Unequal classes: {videos.index[-1]} has {videos.iloc[-1]} videos, {videos.index[0]} {videos.iloc[0]}. "
            "Top-1 is mostly about the large ones; the mean class accuracy counts each the same, and so does training "
            "with train: class_weights: balanced."
        )
    tested = run.first_predictions.groupby(["split", "class"])["group"].nunique().sort_values(kind="stable")
    if (fewest := int(tested.iloc[0])) < FEW_GROUPS:
        split, class_name = tested.index[0]
        more = f", and {rest} more classes and splits too" if (rest := int((tested < FEW_GROUPS).sum()) - 1) else ""
        said.append(
            f"Few recordings: split {split} tests {class_name} on {fewest} of them{more}. What is said of such a class "
            "may be about its recordings; film more of them."
        )
    return said


def leak_notices(run: Run) -> list[str]:
    """Return which networks were tested on videos, or groups, that they were trained on."""
    said = []
    for (split, seed), model in run.models.items():
        origin = model["weights"]
        videos, groups = origin.get("test_videos_trained_on"), origin.get("test_groups_trained_on")
        if videos or groups:
            said.append(
                f"NOT A TEST: the weights of split {split}, seed {seed} ({origin['source']}) were trained on {videos} "
                f"of the {origin['test_videos']} test videos and on {groups} of the {origin['test_groups']} test "
                "groups (recordings). Their accuracy says nothing about unseen videos."
            )
    return said


def weights_notices(run: Run) -> list[str]:
    """Return where weights come from that were not trained here from scratch, as the evaluated models say."""
    said: dict[str, list[str]] = {}
    for (split, seed), model in run.models.items():
        origin = model["weights"]
        where = f"{split}, seed {seed}"
        file = f"{origin['source']} (SHA-256 {origin['sha256'][:12]}…)"
        if origin["origin"] == "given":
            said.setdefault(f"was evaluated with given weights, not trained here: {file}.", []).append(where)
        elif origin["origin"] == "replaced":
            said.setdefault(
                f"was evaluated with replaced weights: {file} is not what the training here wrote.", []
            ).append(where)
        if origin.get("start"):
            start = f"{origin['start']['source']} (SHA-256 {origin['start']['sha256'][:12]}…)"
            said.setdefault(f"was trained starting from the weights {start}.", []).append(where)
        if not origin.get("classes_named", True):
            said.setdefault(
                "has weights that do not name their classes: taken to be those of the split, in its order.", []
            ).append(where)
        if not origin["training_data_known"]:
            said.setdefault(
                "has weights whose training data are unknown: the test videos may be among them.", []
            ).append(where)
    return [f"Split {'; '.join(places)} {what}" for what, places in said.items()]
