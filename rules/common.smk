"""What all rules share: the settings, the names that follow from them, and the versions of code. No rule is in here."""

import hashlib
import os
import sys
from pathlib import Path

PROJECT = Path(workflow.basedir)
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
# The commands say `python`: let it be the one that runs Snakemake, also where no environment is activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

from video3d.common.code_version import code_version as version_of_code
from video3d.common.errors import UserError
from video3d.common.settings import as_argument, resolve, select
from video3d.dataset import ucf101
from video3d.fetch.sources import choose_source


def stop(message):
    """End this call, a dry run too, before anything runs, with these words as the last ones.

    Not with an exception that Snakemake knows: it hides those of an input function where the output exists already, and
    elsewhere lines of these rules would come after the words.
    """
    raise SystemExit(f"error: {message}")


try:
    SETTINGS = resolve(config)
    VIDEOS = choose_source(SETTINGS.dataset.videos, SETTINGS.dataset.classes, setting="dataset.videos")
    LISTS = choose_source(SETTINGS.dataset.lists, setting="dataset.lists")
except UserError as error:
    stop(error)

CLASS_NAMES = SETTINGS.dataset.classes or list(ucf101.CLASSES)
# Runs with other `frames:` settings can share a data set: each finds its own frames.
FRAMES = f"data/{SETTINGS.dataset.name}/frames/{SETTINGS.frames.short_side}px_q{SETTINGS.frames.quality}"
RESULTS = Path("results", SETTINGS.run)
SPLITS = SETTINGS.splits
SEEDS = SETTINGS.seeds
PROTOCOLS = SETTINGS.evaluate.protocols


def section(*names):
    """These parts of the settings (`train`, `evaluate.engine`), as a script's `--settings` takes them, for `params`."""
    return literal(sections_as_text(*names))


def sections_as_text(*names):
    """These parts of the settings as one line of JSON.

    The text is equal for equal settings, so a job is stale when one of its own settings changes, and only then.
    """
    return as_argument(select(SETTINGS, *names))


def literal(value):
    """A parameter as it is: in one that is not given by a function, Snakemake takes {name} for a wildcard."""
    return lambda wildcards: value


def evaluation_settings(wildcards):
    """The settings of an evaluation; those of the uniform views make evaluations by the protocol `uniform` stale only."""
    views = ["evaluate.uniform"] if wildcards.protocol == "uniform" else []
    return sections_as_text("evaluate.batch_size", "evaluate.engine", *views)


def untracked_device(wildcards, threads):
    """The device, which does not make a job stale: Snakemake compares no parameter that is made from `threads`."""
    return SETTINGS.device


def untracked_settings(wildcards, threads):
    """All settings, for a job that only writes them down; they do not make it stale, see `untracked_device`."""
    return as_argument(SETTINGS.model_copy(update={"replace": False}))


def untracked_permission(wildcards, threads):
    """The option that lets a training start from weights that know its test videos; see `untracked_device`."""
    return "--allow-leak" if SETTINGS.evaluate.allow_leak else ""


def untracked_record(wildcards, threads):
    """The settings that a training depends on through its data, for its description; see `untracked_device`."""
    names = ("dataset.name", "dataset.classes", "dataset.faulty_videos", "frames", "validation_groups")
    return sections_as_text(*names)


def code_version(script, without=()):
    """What changes when workflow_scripts/<script>.py, or library code that it imports, computes something else.

    `without` names modules that it imports and that cannot change this job; the rule says why.
    """
    try:
        return version_of_code(PROJECT / "workflow_scripts" / f"{script}.py", frozenset(without))
    except UserError as error:
        stop(error)


def folder_version(name):
    """What changes when the content of a file in this folder of the project does."""
    digest = hashlib.sha256()
    for path in sorted((PROJECT / name).iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
