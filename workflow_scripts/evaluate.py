"""Predict every test video of one split with the exported model, by one protocol, and score the predictions.

In: an exported model, a split table, the folder of its frame packs. Out: predictions.csv (a row per test video),
probabilities.npz (the same in full) and metrics.json (every score with its protocol, its number of videos and its
interval).
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from video3d.evaluation.protocols import PROTOCOLS, describe_protocol


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="exported folder: model.json, metadata.json …")
    parser.add_argument("--split-table", type=Path, required=True, help="results/<run>/splits/split<k>.csv")
    parser.add_argument("--frames", type=Path, required=True, help="folder of the frame packs: <Class>.zip")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="segments", help="which views (default: %(default)s)")
    parser.add_argument("--settings", default="{}", help="YAML text or file; the section `evaluate` is used")
    parser.add_argument("--device", choices=("auto", "gpu", "cpu"), default="auto", help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
    parser.add_argument("--predictions", type=Path, required=True, help="CSV to write, a row per video")
    parser.add_argument("--probabilities", type=Path, required=True, help="NPZ to write, all probabilities")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to write, the scores")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

import numpy as np

from video3d.clips.clip_reader import open_packs
from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.common.tables import write_table
from video3d.common.versions import package_versions
from video3d.dataset.split_table import Video, class_names, number_groups, read_split
from video3d.evaluation import metrics
from video3d.evaluation.model_metadata import PARAMETERS
from video3d.evaluation.predictor import TOP, Predicted, Predictor, predict_videos, top_labels


def read_test_videos(split_table: Path, known_classes: Sequence[str]) -> list[Video]:
    """Return the test videos of a split table, in its order.

    Raises UserError if there is none or if its classes are not `known_classes`, those of the model.
    """
    videos = read_split(split_table)
    require_equal_classes(class_names(videos), known_classes, split_table)
    chosen = [video for video in videos if video.subset == "test"]
    if not chosen:
        raise UserError(f"{split_table} has no test video; look into the audit, then make it again with make_splits")
    return chosen


def require_equal_classes(found: Sequence[str], known: Sequence[str], split_table: Path) -> None:
    """Raise UserError unless the classes of a split table are those of the model, in the same order."""
    if len(found) != len(known):
        raise UserError(
            f"the model knows {len(known)} classes, but {split_table} has {len(found)}; "
            "evaluate it on the classes that it was trained for (dataset: classes:)"
        )
    for label, (here, there) in enumerate(zip(found, known, strict=True)):
        if here != there:
            raise UserError(
                f"label {label} is {there} for the model, but {here} in {split_table}: other classes or order"
            )


def write_predictions(
    path: Path, videos: Sequence[Video], predicted: Predicted, known_classes: Sequence[str], origin: Mapping
) -> None:
    """Write a row per video: what it is, what it was taken for, and the five most probable classes.

    The columns `trained_on` and `group_trained_on` say whether the network was trained on that video, and on any of its
    group: 1, 0, or nothing where nobody knows.

    Args:
        path: the CSV file.
        videos: rows of the split table.
        predicted: the answers for them.
        known_classes: the class names of the model.
        origin: what is known about its weights.
    """
    known = origin["training_data_known"]
    seen_videos = set(origin["videos_trained_on"]) if known else set()
    seen_groups = {(name, str(group)) for name, group in origin["groups_trained_on"]} if known else set()
    columns = ["video", "group", "label", "class", "predicted_label", "predicted_class", "correct", "clips"]
    columns += ["trained_on", "group_trained_on"]
    ranks = range(1, min(TOP, len(known_classes)) + 1)
    columns += [f"top{rank}_{what}" for rank in ranks for what in ("class", "probability")]
    rows = []
    for video, count, probabilities in zip(videos, predicted.clip_counts, predicted.probabilities, strict=True):
        best = top_labels(probabilities)
        row = [video.name, video.group, video.label, video.class_name, best[0], known_classes[best[0]]]
        row += [int(best[0] == video.label), count]
        seen = video.name in seen_videos, (video.class_name, video.group) in seen_groups
        row += map(int, seen) if known else [None, None]
        for label in best:
            row += [known_classes[label], f"{probabilities[label]:.6f}"]
        rows.append(row)
    write_table(path, columns, rows)


def write_probabilities(path: Path, videos: Sequence[Video], predicted: Predicted) -> None:
    """Write the probabilities of every class, float32 (videos, classes), with the videos' names and labels."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            probabilities=predicted.probabilities,
            videos=np.array([video.name for video in videos]),
            labels=np.array([video.label for video in videos], np.int32),
        )


def score_predictions(videos: Sequence[Video], predicted: Predicted, known_classes: Sequence[str]) -> dict:
    """Return the scores of metrics.json, with all that they were made from."""
    labels = np.array([video.label for video in videos])
    right = predicted.clip_predicted == labels[predicted.clip_video]
    predictions = metrics.Predictions(
        labels=labels,
        groups=np.array(number_groups(videos)),
        probabilities=predicted.probabilities,
        clips=predicted.clip_counts,
        clips_correct=np.bincount(predicted.clip_video, right, minlength=len(videos)),
    )
    confusion = metrics.confusion_matrix(labels, predictions.predicted, len(known_classes))
    return {
        "videos": len(videos),
        "clips": len(predicted.clip_video),
        "groups": len({(video.label, video.group) for video in videos}),
        "scores": {name: asdict(estimate) for name, estimate in metrics.evaluate(predictions).items()},
        "interval": metrics.INTERVAL,
        "classes": [
            {"class": name, "videos": int(row.sum()), "accuracy": float(row[label] / row.sum()) if row.any() else None}
            for label, (name, row) in enumerate(zip(known_classes, confusion, strict=True))
        ],
        "confusion_matrix": confusion.tolist(),
        "calibration": metrics.calibration_bins(predicted.probabilities.max(axis=1), labels == predictions.predicted),
    }


def main() -> None:
    """Parse the arguments, predict, score, write."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings).evaluate
    protocol = arguments.protocol
    predictor = Predictor(arguments.model, settings.engine, arguments.device, arguments.threads, settings.batch_size)
    videos = read_test_videos(arguments.split_table, predictor.class_names)
    start = time.perf_counter()
    packs = open_packs(arguments.frames, videos)
    predicted = predict_videos(predictor, videos, packs, protocol, settings, arguments.threads)
    seconds = time.perf_counter() - start
    result = {
        "protocol": protocol,
        "protocol_description": describe_protocol(
            protocol, predictor.clip["frames"], predictor.clip["size"], settings.uniform
        ),
        **score_predictions(videos, predicted, predictor.class_names),
        "engine": predictor.engine,
        "device": predictor.device,
        "threads": arguments.threads,
        "batch_size": settings.batch_size,
        "settings": settings.model_dump(include={"batch_size", "engine", "uniform"}),
        "model_sha256": predictor.metadata["files"][PARAMETERS],
        "weights": predictor.metadata["weights"],
        "versions": package_versions("paddle", "numpy"),
        "seconds": round(seconds, 3),
        "clips_per_second": round(len(predicted.clip_video) / seconds, 2),
    }
    write_probabilities(arguments.probabilities, videos, predicted)
    write_predictions(arguments.predictions, videos, predicted, predictor.class_names, predictor.metadata["weights"])
    with atomic_path(arguments.metrics) as path:
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(format_result(result))


def format_result(result: dict) -> str:
    """Return what the script says at its end."""
    top1 = result["scores"]["top1"]
    return (
        f"{result['protocol']} ({result['protocol_description']}): top-1 {top1['value']:.2%} "
        f"[{top1['low']:.2%}, {top1['high']:.2%}] of {result['videos']} videos, {result['clips']} clips; "
        f"{result['clips_per_second']} clips/s ({result['engine']}, {result['device']})"
    )


if __name__ == "__main__":
    sys.exit(run(main))
