"""Where the numbers come from: code, machine, software, data and weights."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd

from video3d.results import Run

PROJECT = Path(__file__).parents[2]
PACKAGES = ("snakemake", "paddlepaddle", "paddlepaddle-gpu", "numpy", "opencv-python-headless", "simplejpeg")


def facts(run: Run) -> dict[str, str]:
    """What a reader needs to repeat the run, as label and text; machine and software are those that draw the report."""
    dataset = run.settings["dataset"]
    known = {
        "videos": ", ".join(dataset["videos"]),
        "SHA-256 of the videos' archive": dataset["videos_sha256"] or "not given (a folder or a local file)",
        "lists": ", ".join(dataset["lists"]),
        "SHA-256 of the lists' archive": dataset["lists_sha256"] or "not given (a folder or a local file)",
        "seeds": ", ".join(map(str, run.settings["seeds"])),
        "code": commit(),
        "Python": platform.python_version(),
        "packages": ", ".join(filter(None, map(_version, PACKAGES))),
        "system": f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, {processor()}",
    }
    return known


def weights(run: Run) -> pd.DataFrame:
    """A row per split and seed: where the evaluated weights come from, their checksum and what made them."""
    rows = []
    for (split, seed), metadata in run.weights.items():
        origin = metadata.get("weights", {})
        rows.append((split, seed, origin.get("source", ""), origin.get("sha256", ""), _flat(metadata.get("versions"))))
    return pd.DataFrame(rows, columns=["split", "seed", "source", "sha256", "versions"]).astype(
        {"split": str, "seed": str}
    )


def commit() -> str:
    """The commit of the checkout and whether files differ from it; says so where there is no git checkout."""
    try:
        revision = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return f"commit {revision}, " + ("with uncommitted changes" if changed else "clean")


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
