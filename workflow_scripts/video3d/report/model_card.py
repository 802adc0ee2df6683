"""The card of an exported model: what it is, what it was trained and tested on, its scores and its cost.

After Mitchell et al., "Model Cards for Model Reporting", 2019. It is written into the folder of the model when that was
evaluated. The export replaces the folder, so no model keeps the card of another.
"""

import datetime
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.common.files import atomic_path
from video3d.common.printable import printable_lines
from video3d.report import analysis, html_page, provenance
from video3d.report.content import Content
from video3d.report.headline import percent
from video3d.report.notices import leak_notices, weights_notices
from video3d.report.results import Run
from video3d.report.run_files import Key, network_folder

CARD = "README.md"
SCORES = {
    "top5": "top-5",
    "mean_class": "mean of classes",
    "macro_f1": "macro F1",
    "calibration_error": "calibration error",
}


def write_cards(content: Content, folder: Path) -> None:
    """Write the card of every exported model of the run in `folder`, results/<run>."""
    for key in content.run.models:
        card = html_page.render_text("model_card.md", describe_model(content, key))
        with atomic_path(network_folder(folder, key) / "model" / CARD) as path:
            path.write_text(card + "\n", encoding="utf-8")


def describe_model(content: Content, key: Key) -> dict[str, Any]:
    """Return what the template of the card shows of one network."""
    split, seed = key
    run = _only(content.run, key)
    model, training = run.models[key], run.trainings.get(key)
    subsets = content.splits[content.splits["split"] == split]["subset"].value_counts()
    return {
        "run": run.name,
        "split": split,
        "seed": seed,
        "network": provenance.network_name(model),
        "description": provenance.describe_networks(run),
        "clips": provenance.describe_clips(run),
        "labels": model["labels"],
        "notices": card_notices(run),
        "weights": model["weights"]["origin"],
        "sha256": model["weights"]["sha256"],
        "started": printable_lines(((training or {}).get("start") or {}).get("source", "")),
        "commit": f"commit {training['commit']}" if training and training.get("commit") else "not noted",
        "drawn": datetime.date.today().isoformat(),
        "data_set": run.settings.dataset.name,
        "videos": {name: int(subsets.get(name, 0)) for name in ("train", "validation", "test")},
        "training_data": describe_leaks(model["weights"]),
        "recipe": describe_training(run, key),
        "protocol": run.protocols[0],
        "scores": list_scores(run),
        "score_names": list(SCORES.values()),
        "calibration_error": percent(analysis.calibration_error(analysis.calibration(run.first_predictions))),
        "classes": list_classes(run.first_predictions),
        "cost": describe_cost(run, key),
        "licence": describe_licence(),
    }


def _only(run: Run, key: Key) -> Run:
    """Return what a run says of one of its networks."""
    split, seed = key

    def part(table: pd.DataFrame) -> pd.DataFrame:
        return table[(table["split"].astype(str) == str(split)) & (table["seed"].astype(str) == str(seed))]

    return replace(
        run,
        accuracy=part(run.accuracy),
        predictions=part(run.predictions),
        history=part(run.history),
        models={key: run.models[key]},
        trainings={key: run.trainings[key]} if key in run.trainings else {},
        evaluations={name: each for name, each in run.evaluations.items() if name[:2] == key},
    )


def card_notices(run: Run) -> list[str]:
    """Return what must be said first: the note of the run, and what is to know about the weights of its one network."""
    notes = [run.settings.report.note] if run.settings.report.note else []
    return [printable_lines(notice).replace("\n", " ") for notice in leak_notices(run) + notes + weights_notices(run)]


def describe_leaks(origin: dict[str, Any]) -> str:
    """Return whether the weights know the videos that they were tested on, as check_weights.py found."""
    if not origin.get("training_data_known"):
        return "What the weights were trained on is not known: the test videos may be among it."
    return (
        f"Of {origin['test_videos']:,} test videos the weights were trained on {origin['test_videos_trained_on']:,}, "
        f"of {origin['test_groups']:,} groups (recordings) on {origin['test_groups_trained_on']:,}."
    )


def describe_training(run: Run, key: Key) -> str:
    """Return the recipe in a sentence, or that the weights were not trained here."""
    if key not in run.trainings:
        return "The weights were not trained in this run."
    return f"Trained in this run: {provenance.describe_recipes(run)}. All settings: `train` in `weights.json`."


def list_scores(run: Run) -> list[dict[str, Any]]:
    """Return a row per protocol, of accuracy.csv."""
    return [
        {
            "protocol": row["protocol"],
            "videos": int(row["videos"]),
            "top1": row["top1"],
            "low": row["top1_low"],
            "high": row["top1_high"],
            "others": ["–" if math.isnan(row.get(name, math.nan)) else percent(row[name]) for name in SCORES],
        }
        for row in run.accuracy.to_dict("records")
    ]


def list_classes(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row of `analysis.class_accuracy` per class, by name, with its most frequent mistake in words."""
    rows = analysis.class_accuracy(predictions).sort_values("class").to_dict("records")
    return [
        row
        | {"mistaken": "" if pd.isna(row["taken_for"]) else f"{row['taken_for']} ({percent(row['taken_for_share'])})"}
        for row in rows
    ]


def describe_cost(run: Run, key: Key) -> str:
    """Return hours of training and seconds of evaluation, as these noted them."""
    said = []
    if attempts := run.trainings.get(key, {}).get("attempts"):
        devices = " and ".join(dict.fromkeys(attempt["device"] for attempt in attempts))
        count = run.trainings[key]["train"]["devices"]
        seconds = sum(attempt["seconds"] for attempt in attempts)
        said.append(
            f"Training: {seconds / 3600:.2f} hours in {len(attempts)} attempt(s), {count} device(s), {devices}."
        )
    said += [
        f"Evaluation by {protocol}: {each['seconds']:.0f} seconds, {each['device']}."
        for (_, _, protocol), each in run.evaluations.items()
    ]
    return " ".join(said)


def describe_licence() -> str:
    """Return the licence of the code, that it is not one of the weights, and what to cite."""
    said = provenance.describe_citation()
    licence = f"The code that made this file: {said['licence of the code']}. " if said else ""
    cite = f" How to cite: {said['how to cite']}." if said else ""
    terms = (
        "Whether the weights may be passed on is also a question of the terms of the data that they were trained on."
    )
    return f"{licence}{terms}{cite}"
