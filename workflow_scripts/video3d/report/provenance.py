"""Where the numbers come from: code, machine, software, data and weights."""

import os
import platform
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from video3d.common.errors import UserError
from video3d.common.printable import safe_cell
from video3d.common.versions import git_commit, package_versions
from video3d.frames.ffmpeg import ffmpeg_program, ffmpeg_version
from video3d.report import stage_times
from video3d.report.results import Run
from video3d.report.run_files import Key

CITATION = Path(__file__).parents[3] / "CITATION.cff"
PACKAGES = ("snakemake", "paddlepaddle", "paddlepaddle-gpu", "numpy", "opencv-python-headless", "simplejpeg")


def describe_run(run: Run) -> dict[str, str]:
    """Return what a reader needs to repeat the run, as label and text.

    Code, software and machine are those that draw the report; those of each training are in `describe_weights`.
    """
    dataset, versions = run.settings.dataset, package_versions(*PACKAGES)
    return {
        "videos": ", ".join(dataset.videos),
        "SHA-256 of the videos' archive": dataset.videos_sha256 or "not given (a folder or a local file)",
        "lists": ", ".join(dataset.lists),
        "SHA-256 of the lists' archive": dataset.lists_sha256 or "not given (a folder or a local file)",
        "seeds": ", ".join(map(str, run.settings.seeds)),
        "trained on": describe_devices(run),
        "drawn by": describe_commit(),
        "Python": versions.pop("python"),
        "ffmpeg": describe_ffmpeg(),
        "packages": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "drawn on": f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {processor_name()}",
    } | describe_citation()


def describe_devices(run: Run) -> str:
    """Return where the evaluated weights were trained, and for how many GPU-hours, as far as trainings noted it."""
    devices = Counter(training.get("device", "a device that was not noted") for training in run.trainings.values())
    trained = [f"{device} ({number} training{'s' * (number > 1)})" for device, number in devices.items()]
    hours = stage_times.gpu_hours(run)["train"]
    return ", ".join(trained + ([f"{hours:.3g} GPU-hours"] if hours else [])) or "not trained in this run"


def describe_citation() -> dict[str, str]:
    """Return the licence of this project and what to cite, as label and text; nothing where CITATION.cff is absent."""
    if not CITATION.is_file():
        return {}
    project = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    names = [
        f"{', '.join(author['family-names'] for author in each['authors'])}: {each['title']}, {each['year']}"
        for each in project["references"]
    ]
    return {
        "licence of the code": project["license"],
        "how to cite": "; ".join([f"{project['title']}, version {project['version']}", *names]),
    }


def describe_weights(run: Run) -> pd.DataFrame:
    """Return a row per split and seed: the evaluated weights with their checksum, and what they were trained with."""
    rows = []
    for (split, seed), model in run.models.items():
        origin, training = model["weights"], run.trainings.get((split, seed), {})
        rows.append(
            {
                "split": split,
                "seed": seed,
                "weights": origin.get("origin", ""),
                "file": safe_cell(origin.get("source", "")),
                "started from": safe_cell((origin.get("start") or {}).get("source", "")),
                "sha256": origin.get("sha256", ""),
                "data": training.get("data", ""),
                "commit": training.get("commit", ""),
                "versions": _flat(training.get("versions") or model.get("versions")),
                "device": training.get("device", ""),
            }
        )
    return pd.DataFrame(rows)


def join_by_split(texts: Mapping[Key, str], run: Run) -> str:
    """Join what is said of the networks of a run, by (split, seed), to one text.

    If all of them have the same text, it stands alone. Else each text follows the splits that it is about, and the
    seeds where those of a split differ.
    """
    if len(texts) == len(run.models) and len({*texts.values()}) == 1:
        return next(iter(texts.values()))
    said = []
    for text in dict.fromkeys(texts.values()):
        places = []
        for split in dict.fromkeys(split for split, _ in run.models):
            seeds = [seed for s, seed in run.models if s == split]
            about = [seed for seed in seeds if texts.get((split, seed)) == text]
            if about:
                seeds_named = "" if about == seeds else f" seed {', '.join(map(str, about))}"
                places.append(f"split {split}{seeds_named}")
        said.append(f"{' and '.join(places)}: {text}")
    return "; ".join(said)


def network_name(model: Mapping) -> str:
    """Return the name of an exported network, such as ResNet-18."""
    network = model["model"]
    return f"{'ResNeXt' if network.get('cardinality', 1) > 1 else 'ResNet'}-{network['depth']}"


def describe_networks(run: Run) -> str:
    """Return the networks that were evaluated."""
    texts = {
        key: f"{network_name(model)}, shortcut {model['model']['shortcut']}, width {model['model']['width']}"
        for key, model in run.models.items()
    }
    return join_by_split(texts, run)


def describe_clips(run: Run) -> str:
    """Return the clips that the evaluated networks take."""
    shapes = {key: model["clip"] for key, model in run.models.items()}
    texts = {key: f"{clip['frames']} frames of {clip['size']} × {clip['size']} pixels" for key, clip in shapes.items()}
    return join_by_split(texts, run)


def describe_protocols(run: Run) -> list[str]:
    """Return each protocol as its evaluations describe it."""
    descriptions = {
        name: {
            (split, seed): evaluation["protocol_description"]
            for (split, seed, protocol), evaluation in run.evaluations.items()
            if protocol == name
        }
        for name in run.protocols
    }
    return [f"{name}: {join_by_split(texts, run)}" for name, texts in descriptions.items()]


def describe_recipes(run: Run) -> str:
    """Return the recipe of the evaluated weights that were trained here."""
    if not run.trainings:
        return "none, as the evaluated weights were not trained in this run"
    texts = {
        key: "batches of {batch_size}, {epochs} epochs, {sampling} sampling, crop {crop}, "
        "flip with probability {flip}".format_map(training["train"])
        for key, training in run.trainings.items()
    }
    return join_by_split(texts, run)


def describe_validation(run: Run) -> str:
    """Return the groups that were held out of the trainings whose weights were evaluated; empty if none were."""
    held_out = {key: training.get("validation_groups") for key, training in run.trainings.items()}
    texts = {key: f"groups {', '.join(map(str, groups))}" for key, groups in held_out.items() if groups}
    return join_by_split(texts, run) if texts else ""


def describe_commit() -> str:
    """Return the commit of the checkout and whether files differ from it, or that there is no git checkout."""
    commit = git_commit()
    if commit is None:
        return "not a git checkout"
    revision = commit.removesuffix("-dirty")
    return f"commit {revision}, " + ("clean" if commit == revision else "with uncommitted changes")


def describe_ffmpeg() -> str:
    """Return the version of the ffmpeg that extraction uses on this machine."""
    try:
        return ".".join(map(str, ffmpeg_version(ffmpeg_program())))
    except UserError:
        return "none found"


def processor_name() -> str:
    """Return the processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _flat(values: Any) -> str:
    if isinstance(values, dict):
        return ", ".join(f"{key} {value}" for key, value in values.items())
    return str(values or "")
