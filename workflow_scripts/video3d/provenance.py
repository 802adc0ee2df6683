"""Where the numbers come from: code, machine, software, data and weights."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.console import UserError
from video3d.frames import ffmpeg_program, ffmpeg_version
from video3d.results import Run

PROJECT = Path(__file__).parents[2]
PACKAGES = ("snakemake", "paddlepaddle", "paddlepaddle-gpu", "numpy", "opencv-python-headless", "simplejpeg")


def facts(run: Run) -> dict[str, str]:
    """What a reader needs to repeat the run, as label and text; machine and software are those that draw the report."""
    dataset = run.settings["dataset"]
    return {
        "videos": ", ".join(dataset["videos"]),
        "SHA-256 of the videos' archive": dataset["videos_sha256"] or "not given (a folder or a local file)",
        "lists": ", ".join(dataset["lists"]),
        "SHA-256 of the lists' archive": dataset["lists_sha256"] or "not given (a folder or a local file)",
        "seeds": ", ".join(map(str, run.settings["seeds"])),
        "code": commit(),
        "Python": platform.python_version(),
        "ffmpeg": ffmpeg(),
        "packages": ", ".join(filter(None, map(_version, PACKAGES))),
        "system": f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {processor()}",
    }


def weights(run: Run) -> pd.DataFrame:
    """A row per split and seed: the evaluated weights with their checksum, and what they were trained with."""
    rows = []
    for (split, seed), model in run.models.items():
        origin, training = model["weights"], run.trainings.get((split, seed), {})
        rows.append(
            {
                "split": split,
                "seed": seed,
                "weights": origin.get("origin", ""),
                "file": origin.get("source", ""),
                "started from": (origin.get("start") or {}).get("source", ""),
                "sha256": origin.get("sha256", ""),
                "data": training.get("data", ""),
                "commit": training.get("commit", ""),
                "versions": _flat(training.get("versions") or model.get("versions")),
                "device": training.get("device", ""),
            }
        )
    return pd.DataFrame(rows)


def commit() -> str:
    """The commit of the checkout and whether files differ from it; says so where there is no git checkout."""
    try:
        revision = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return f"commit {revision}, " + ("with uncommitted changes" if changed else "clean")


def ffmpeg() -> str:
    """The version of the ffmpeg that extraction uses on this machine."""
    try:
        return ".".join(map(str, ffmpeg_version(ffmpeg_program())))
    except UserError:
        return "none found"


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PROJECT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return ""


def _flat(values: Any) -> str:
    if isinstance(values, dict):
        return ", ".join(f"{key} {value}" for key, value in values.items())
    return str(values or "")
