"""Invented results of any size in the workflow's formats, to see the report at full size without training for days.

    PYTHONPATH=workflow_scripts:tests python tests/helpers/simulated.py --output <folder>

writes results/simulated/ (101 classes, 3 splits, 3 seeds), data/simulated/ and benchmarks/ below the folder. The
numbers mean nothing; the settings carry a note that says so on every page made from them.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml

import figures
from helpers.script_call import call
from video3d.common.files import sha256
from video3d.common.settings import resolve
from video3d.dataset import ucf101
from video3d.frames.frame_pack import PackWriter

SIMULATED = "0" * 64  # as the checksum of files that there are not
NOTE = "SIMULATED: every number on this page is invented, to test the report. Nothing was trained."
# Text that means something to HTML, JSON, Jinja, Snakemake or a shell, unless it is kept as text.
HOSTILE = """<!--<script> </script>--> {run} {{ 7 * 7 }} <run> ]]> & \\ ' " `$(x)` ü end"""
OFFICIAL_TEST_VIDEOS = {1: 3783, 2: 3734, 3: 3696}
EPOCHS = 25


def simulate(
    folder: Path,
    *,
    run: str = "simulated",
    classes: int = 101,
    splits: tuple[int, ...] = (1, 2, 3),
    seeds: tuple[int, ...] = (10001, 10002, 10003),
    protocols: tuple[str, ...] = ("segments", "sliding"),
    skill: float = 0.0,
    compare: tuple[str, ...] = (),
    given_weights: dict[int, str] | None = None,
) -> Path:
    """Write one run and its data set below `folder`; return the folder of the run. `skill` shifts the accuracy."""
    settings = resolve(
        {
            "run": run,
            "splits": list(splits),
            "seeds": list(seeds),
            "dataset": {"name": "simulated", "classes": list(ucf101.CLASSES[:classes]) if classes < 101 else []},
            "evaluate": {"protocols": list(protocols), "weights": given_weights or {}},
            "report": {"note": NOTE, "compare": list(compare)},
        }
    ).model_dump()
    results = folder / "results" / run
    results.mkdir(parents=True)
    (results / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    names = ucf101.CLASSES[:classes]
    videos = {split: test_videos(names, split) for split in splits}
    write_tables(results, videos)
    write_packs(folder / "data/simulated/frames/{short_side}px_q{quality}".format(**settings["frames"]), videos)
    scored = []
    for split in splits:
        for seed in seeds:
            rng = np.random.default_rng([split, seed])
            below = results / f"split{split}" / f"seed{seed}"
            write_model(below, settings, names, (given_weights or {}).get(split))
            if split not in (given_weights or {}):
                write_training(below, settings, names, seed, skill, rng)
            for protocol in protocols:
                predictions = predict(videos[split], names, skill + 0.03 * (protocol == "sliding"), rng)
                write_protocol(below / protocol, predictions, protocol, split, seed)
                scored.append((split, seed, protocol, predictions))
    accuracy_table(scored).to_csv(results / "accuracy.csv", index=False)
    write_benchmarks(folder / "benchmarks", run, names, splits, seeds, protocols)
    return results


def test_videos(names: tuple[str, ...], split: int) -> pd.DataFrame:
    """The test videos of a split: 7 groups a class, as many clips in all as UCF101 has for 101 classes."""
    groups = range(7 * split - 6, 7 * split + 1)
    places = [(label, name, group) for label, name in enumerate(names) for group in groups]
    total = OFFICIAL_TEST_VIDEOS[split] * len(names) // 101
    rng = np.random.default_rng(split)
    rows = []
    for position, (label, name, group) in enumerate(places):
        for clip in range(1, 1 + total // len(places) + (position < total % len(places))):
            stem = "HandStandPushups" if name == "HandstandPushups" else name
            rows.append((f"v_{stem}_g{group:02d}_c{clip:02d}", name, label, group, int(rng.gamma(6, 31)) + 29))
    return pd.DataFrame(rows, columns=["video", "class", "label", "group", "frames"])


def predict(videos: pd.DataFrame, names: tuple[str, ...], skill: float, rng: np.random.Generator) -> pd.DataFrame:
    """Predictions that are right in about 44 % of the videos, by class and group, with neighbours confused."""
    fixed = np.random.default_rng(1)  # what is hard is hard in every run
    of_class = fixed.normal(0, 1.1, 101)
    of_group = fixed.normal(0, 0.8, (101, 30))
    partner = np.arange(len(names)) ^ 1  # 0 and 1 look alike, 2 and 3, and so on
    partner[partner == len(names)] = 0
    labels, groups = videos["label"].to_numpy(), videos["group"].to_numpy()
    hardness = of_class[labels] + of_group[labels, groups] - 0.3 + 5 * skill
    logits = rng.normal(0, 0.7, (len(videos), len(names)))
    rows = np.arange(len(videos))
    logits[rows, labels] += 1.9 + hardness
    logits[rows, partner[labels]] += 1.8
    logits[rows, fixed.integers(0, len(names), 101)[labels]] += 1.2
    probabilities = np.exp(1.3 * logits) / np.exp(1.3 * logits).sum(axis=1, keepdims=True)
    best = np.argsort(-probabilities, axis=1)[:, : min(5, len(names))]
    table = videos[["video", "group", "label", "class"]].copy()
    table["predicted_label"] = best[:, 0]
    table["predicted_class"] = np.array(names)[best[:, 0]]
    table["correct"] = (best[:, 0] == labels).astype(int)
    table["clips"] = 1
    table["trained_on"] = table["group_trained_on"] = 0
    for rank in range(best.shape[1]):
        table[f"top{rank + 1}_class"] = np.array(names)[best[:, rank]]
        table[f"top{rank + 1}_probability"] = probabilities[rows, best[:, rank]].round(5)
    return table


def write_protocol(folder: Path, predictions: pd.DataFrame, protocol: str, split: int, seed: int) -> None:
    folder.mkdir(parents=True)
    predictions.to_csv(folder / "predictions.csv", index=False)
    metrics = {"split": split, "seed": seed, "protocol": protocol, "device": "gpu", "seconds": 50.0}
    metrics |= scores(predictions) | {"model_sha256": SIMULATED, "protocol_description": "as simulated"}
    (folder / "metrics.json").write_text(json.dumps(metrics))


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    correct = predictions["correct"]
    top1 = float(correct.mean())
    half = 1.96 * 1.8 * np.sqrt(top1 * (1 - top1) / len(correct))  # 1.8: an invented effect of the groups
    in_top5 = (predictions.filter(regex=r"^top\d_class").to_numpy() == predictions[["class"]].to_numpy()).any(axis=1)
    by_class = predictions.groupby("class")["correct"].mean()
    return {
        "videos": len(predictions), "left_out": 0, "top1": top1, "top1_low": top1 - half, "top1_high": top1 + half,
        "top5": float(in_top5.mean()), "mean_class": float(by_class.mean()), "macro_f1": float(by_class.mean()) - 0.01,
        "calibration_error": 0.1, "clip_top1": top1 - 0.02,
    }  # fmt: skip


def accuracy_table(scored: list[tuple[int, int, str, pd.DataFrame]]) -> pd.DataFrame:
    rows = [{"split": s, "seed": seed, "protocol": p} | scores(table) for s, seed, p, table in scored]
    table = pd.DataFrame(rows)
    means = table.groupby("protocol", as_index=False).mean(numeric_only=True).assign(split="mean", seed="mean")
    means["videos"] = table.drop_duplicates(["split", "protocol"]).groupby("protocol")["videos"].sum().to_numpy()
    for other in ("seed", "split"):
        by = table.groupby(["protocol", other])["top1"].mean()
        means[f"top1_std_{other}s"] = by.groupby("protocol").std().to_numpy()
    half = (means["top1_high"] - means["top1_low"]) / 2 / np.sqrt(table["split"].nunique())
    means["top1_low"], means["top1_high"] = means["top1"] - half, means["top1"] + half
    return pd.concat([table, means], ignore_index=True)


def write_model(folder: Path, settings: dict, names: tuple[str, ...], given: str | None) -> None:
    """Metadata of an exported model; `given`: the file of weights that was given to be evaluated."""
    (folder / "model").mkdir(parents=True)
    weights = {"origin": "given" if given else "trained", "source": given or "simulated", "sha256": SIMULATED}
    weights |= {"training_data_known": True, "test_videos_trained_on": 0, "test_groups_trained_on": 0, "start": None}
    weights |= {"test_videos": 9, "test_groups": 9, "videos_trained_on": [], "groups_trained_on": []}
    metadata = {"labels": names, "clip": settings["clip"], "model": settings["model"], "frames": settings["frames"],
                "protocol": "segments", "weights": weights, "files": {"model.pdiparams": SIMULATED},
                "versions": {"simulated": "0"}}  # fmt: skip
    (folder / "model" / "metadata.json").write_text(json.dumps(metadata))


def write_training(
    folder: Path, settings: dict, names: tuple[str, ...], seed: int, skill: float, rng: np.random.Generator
) -> None:
    """History and metadata of one training."""
    epoch = np.arange(1, EPOCHS + 1)
    rate = np.select([epoch < 16, epoch < 21], [0.01, 0.001], 0.0001)
    progress = (1 + skill) * (1 - np.exp(-epoch / 9) + 0.12 * (epoch >= 16))
    history = {
        "epoch": epoch, "learning_rate": rate,
        "loss": 4.6 - 3.4 * progress + rng.normal(0, 0.04, EPOCHS),
        "top1": np.clip(0.72 * progress + rng.normal(0, 0.01, EPOCHS), 0, 1),
        "validation_loss": np.nan, "validation_top1": np.nan,
        "clips_per_second": 300 + rng.normal(0, 8, EPOCHS), "wait_share": np.abs(rng.normal(0.03, 0.01, EPOCHS)),
        "seconds": 9537 / 300 + rng.normal(0, 0.5, EPOCHS),
    }  # fmt: skip
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False, float_format="%.6g")
    metadata = {"labels": names, "clip": settings["clip"], "model": settings["model"], "seed": seed}
    metadata |= {"data": "0" * 64, "commit": "simulated", "versions": {"simulated": "0"}, "device": "none"}
    metadata |= {"train": settings["train"], "validation_groups": settings["validation_groups"], "start": None}
    metadata |= {"attempts": [{"seconds": 820.0, "device": "gpu"}]}
    metadata |= {"sha256": SIMULATED, "history_sha256": sha256(folder / "history.csv")}
    (folder / "weights.json").write_text(json.dumps(metadata))


def write_tables(folder: Path, videos: dict[int, pd.DataFrame]) -> None:
    """Audit and split tables of a run."""
    (folder / "splits").mkdir()
    everything = pd.concat(videos.values())
    for split, table in videos.items():
        subset = np.where(everything["video"].isin(table["video"]), "test", "train")
        everything.assign(subset=subset).to_csv(folder / "splits" / f"split{split}.csv", index=False)
    everything = everything.drop_duplicates("video").reset_index(drop=True)
    audit = everything[["video", "class", "group", "frames"]].assign(status="ok", message="")
    short = audit.index[:3]
    audit.loc[short, ["status", "message"]] = ["short", "fewer frames than a clip (invented)"]
    audit[["video", "class", "group", "status", "frames", "message"]].to_csv(folder / "audit.csv", index=False)


def write_packs(folder: Path, videos: dict[int, pd.DataFrame]) -> None:
    """A pack per class in which every video has a single frame: a random texture, as hard to compress as a real one."""
    if folder.exists():
        return
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, part in pd.concat(videos.values()).groupby("class"):
        colours = rng.integers(0, 255, (7, 9, 3)).astype(np.uint8)
        texture = cv2.resize(colours, (226, 170), interpolation=cv2.INTER_CUBIC).astype(int)
        texture += rng.normal(0, 20, texture.shape).astype(int)
        jpeg = cv2.imencode(".jpg", texture.clip(0, 255).astype(np.uint8))[1].tobytes()
        with PackWriter(folder / f"{name}.zip") as pack:
            for video in part["video"]:
                pack.add(video, [jpeg])


def write_benchmarks(folder: Path, run: str, names, splits, seeds, protocols) -> None:
    """Snakemake's benchmark files for every rule."""
    rng = np.random.default_rng(0)
    jobs = {"unpack/simulated": 400.0, f"audit/{run}": 9.0, "download_videos/simulated": 900.0}
    jobs |= {f"extract_frames/simulated/{name}": 60 + 20 * rng.random() for name in names}
    jobs |= {f"make_splits/{run}/split{split}": 2.0 for split in splits}
    for split in splits:
        for seed in seeds:
            jobs |= {f"train/{run}/split{split}_seed{seed}": 800 + 50 * rng.random()}
            jobs |= {f"export/{run}/split{split}_seed{seed}": 6.0}
            jobs |= {f"evaluate/{run}/split{split}_seed{seed}_{protocol}": 60.0 for protocol in protocols}
    for name, seconds in jobs.items():
        path = folder / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds:.4f}\t0:00:00\t512.0\n")


def draw_figures(folder: Path) -> Path:
    """Do what figures.py does with the simulated run below `folder`; return the folder with the figures."""
    run = folder / "results" / "simulated"
    (frames,) = (folder / "data" / "simulated" / "frames").iterdir()
    files = ["--run", run, "--frames", frames, "--benchmarks", folder / "benchmarks", "--output", run / "figures"]
    drawn = call(figures.main, *files)
    assert drawn.returncode == 0, drawn.stderr
    return run / "figures"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, type=Path, help="folder to write below")
    parser.add_argument("--classes", type=int, default=101, help="number of classes (default: %(default)s)")
    arguments = parser.parse_args()
    simulate(arguments.output, classes=arguments.classes)


if __name__ == "__main__":
    main()
