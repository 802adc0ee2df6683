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

import numpy as np

from video3d.clips.clip_reader import fill_clip, open_packs
from video3d.clips.spatial_crops import centre_box
from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.common.settings import read_settings
from video3d.common.tables import write_table
from video3d.common.versions import package_versions
from video3d.dataset.split_table import Video, class_names, read_split
from video3d.evaluation import metrics as scores
from video3d.evaluation.predictor import PARAMETERS, Predicted, Predictor, predict_videos
from video3d.evaluation.protocols import PROTOCOLS, describe, views

TOP = 5


def test_videos(clips: Path, labels: Sequence[str]) -> list[Video]:
    """The test videos of a split table, in its order.

    Raises UserError if there is none or if its classes are not the model's `labels`.
    """
    videos = read_split(clips)
    check_classes(class_names(videos), labels, clips)
    chosen = [video for video in videos if video.subset == "test"]
    if not chosen:
        raise UserError(f"{clips} has no test video; look into the audit, then make it again with make_splits")
    return chosen


def check_classes(found: Sequence[str], labels: Sequence[str], clips: Path) -> None:
    """Raise UserError unless the classes of a split table are those of the model, in the same order."""
    if len(found) != len(labels):
        raise UserError(
            f"the model knows {len(labels)} classes, but {clips} has {len(found)}; "
            "evaluate it on the classes that it was trained for (dataset: classes:)"
        )
    for label, (here, there) in enumerate(zip(found, labels, strict=True)):
        if here != there:
            raise UserError(f"label {label} is {there} for the model, but {here} in {clips}: other classes or order")


def predict(
    predictor: Predictor, videos: Sequence[Video], frames: Path, protocol: str, settings: dict, threads: int
) -> Predicted:
    """Predict each of `videos` once. `settings` is the section `evaluate` of the config."""
    packs = open_packs(frames, videos)
    shown = [views(protocol, video.frames, predictor.clip["frames"], settings["uniform"]) for video in videos]

    def fill(out: np.ndarray, video: int, indices: np.ndarray, mirrored: bool) -> None:
        chosen = videos[video]
        fill_clip(out, chosen, packs[chosen.class_name], indices, centre_box, mirrored, predictor.resizing)

    return predict_videos(predictor, shown, fill, settings["batch_size"], threads)


def write_predictions(
    path: Path, videos: Sequence[Video], predicted: Predicted, labels: Sequence[str], origin: Mapping
) -> None:
    """One row per video: what it is, what it was taken for, and the five most probable classes.

    `origin` is what is known about the weights: the columns `trained_on` and `group_trained_on` say whether the network
    was trained on that video, and on any of its group: 1, 0, or nothing where nobody knows.
    """
    known = origin["training_data_known"]
    seen_videos = set(origin["videos_trained_on"]) if known else set()
    seen_groups = set(map(tuple, origin["groups_trained_on"])) if known else set()
    clips = np.bincount(predicted.clip_video, minlength=len(videos))
    columns = ["video", "group", "label", "class", "predicted_label", "predicted_class", "correct", "clips"]
    columns += ["trained_on", "group_trained_on"]
    columns += [f"top{rank + 1}_{what}" for rank in range(min(TOP, len(labels))) for what in ("class", "probability")]
    rows = []
    for video, count, probabilities in zip(videos, clips, predicted.probabilities, strict=True):
        best = np.argsort(-probabilities, kind="stable")[:TOP]
        row = [video.name, video.group, video.label, video.class_name, best[0], labels[best[0]]]
        row += [int(best[0] == video.label), count]
        seen = video.name in seen_videos, (video.class_name, video.group) in seen_groups
        row += map(int, seen) if known else [None, None]
        for label in best:
            row += [labels[label], f"{probabilities[label]:.6f}"]
        rows.append(row)
    write_table(path, columns, rows)


def write_probabilities(path: Path, videos: Sequence[Video], predicted: Predicted) -> None:
    """The probabilities of every class, float32 (videos, classes), with the videos' names and labels."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            probabilities=predicted.probabilities,
            videos=np.array([video.name for video in videos]),
            labels=np.array([video.label for video in videos], np.int32),
        )


def measure(videos: Sequence[Video], predicted: Predicted, labels: Sequence[str]) -> dict:
    """The scores of metrics.json, with all that they were made from."""
    truth = np.array([video.label for video in videos])
    right = predicted.clip_predicted == truth[predicted.clip_video]
    predictions = scores.Predictions(
        labels=truth,
        groups=np.array([video.group for video in videos]),
        probabilities=predicted.probabilities,
        clips=np.bincount(predicted.clip_video, minlength=len(videos)),
        clips_correct=np.bincount(predicted.clip_video, right, minlength=len(videos)),
    )
    confusion = scores.confusion_matrix(truth, predictions.predicted, len(labels))
    return {
        "videos": len(videos),
        "clips": len(predicted.clip_video),
        "groups": len({(video.label, video.group) for video in videos}),
        "scores": {name: asdict(estimate) for name, estimate in scores.evaluate(predictions).items()},
        "interval": scores.INTERVAL,
        "classes": [
            {"class": name, "videos": int(row.sum()), "accuracy": float(row[label] / row.sum()) if row.any() else None}
            for label, (name, row) in enumerate(zip(labels, confusion, strict=True))
        ],
        "confusion_matrix": confusion.tolist(),
        "calibration": scores.calibration_bins(predicted.probabilities.max(axis=1), truth == predictions.predicted),
    }


def main() -> None:
    """Parse the arguments, predict, score, write."""
    arguments = parse_arguments()
    settings = read_settings(arguments.settings).evaluate.model_dump()
    protocol = arguments.protocol
    predictor = Predictor(
        arguments.model, settings["engine"], arguments.device, arguments.threads, settings["batch_size"]
    )
    videos = test_videos(arguments.split_table, predictor.labels)
    start = time.perf_counter()
    predicted = predict(predictor, videos, arguments.frames, protocol, settings, arguments.threads)
    seconds = time.perf_counter() - start
    metrics = {
        "protocol": protocol,
        "protocol_description": describe(protocol, predictor.clip, settings["uniform"]),
        **measure(videos, predicted, predictor.labels),
        "engine": predictor.engine,
        "device": predictor.device,
        "threads": arguments.threads,
        "batch_size": settings["batch_size"],
        "settings": {name: settings[name] for name in ("batch_size", "engine", "uniform")},
        "model_sha256": predictor.metadata["files"][PARAMETERS],
        "weights": predictor.metadata["weights"],
        "versions": package_versions("paddle", "numpy"),
        "seconds": round(seconds, 3),
        "clips_per_second": round(len(predicted.clip_video) / seconds, 2),
    }
    write_probabilities(arguments.probabilities, videos, predicted)
    write_predictions(arguments.predictions, videos, predicted, predictor.labels, predictor.metadata["weights"])
    with atomic_path(arguments.metrics) as path:
        path.write_text(json.dumps(metrics, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(summary(metrics))


def summary(metrics: dict) -> str:
    """What the script says at its end."""
    top1 = metrics["scores"]["top1"]
    return (
        f"{metrics['protocol']} ({metrics['protocol_description']}): top-1 {top1['value']:.2%} "
        f"[{top1['low']:.2%}, {top1['high']:.2%}] of {metrics['videos']} videos, {metrics['clips']} clips; "
        f"{metrics['clips_per_second']} clips/s ({metrics['engine']}, {metrics['device']})"
    )


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
    sys.exit(run(main))
