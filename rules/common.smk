"""What all rules share: the settings, the names that follow from them, and the versions of code. No rule is in here."""

import hashlib
import os
import shlex
import sys
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

if not isinstance(workflow.current_basedir, os.PathLike):
    raise SystemExit(
        "error: the scripts of this workflow are needed on this machine: clone it, and give the clone's path"
    )
PROJECT = Path(workflow.current_basedir).parent  # `workflow.basedir` is another workflow's folder in a module
# The folder of data/, resources/ and results/. Snakemake adds a module's prefix to inputs and outputs, and nowhere else.
ROOT = Path(workflow.modifier.modify_path("results")).parent
SCRIPTS = PROJECT / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))
# With --sdm conda it is that of the environment; else the one that runs Snakemake, also where no environment is activated.
PYTHON = "python" if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method else sys.executable
# Snakemake reads {name} in this path as a wildcard, also where a folder is called so.
ENVIRONMENT = str(PROJECT / "envs" / "cpu.yaml").replace("{", "{{").replace("}", "}}")

from video3d.common.code_version import code_version as version_of_code
from video3d.common.errors import UserError
from video3d.common.printable import printable_lines
from video3d.common.settings import as_argument, resolve, select
from video3d.dataset.safe_names import safe_name
from video3d.fetch.class_names import class_names
from video3d.fetch.sources import choose_source


def stop(message):
    """End this call, a dry run too, before anything runs, with these words as the last ones.

    It is no ordinary exception, as Snakemake hides those of input functions whose output exists, and prints lines of the
    rules after those of others.
    """
    raise SystemExit(f"error: {printable_lines(str(message))}")


if any(Path(workflow.modifier.modify_path(f"{name}/file")) != ROOT / name / "file" for name in ("data", "resources")):
    stop("this workflow cannot be a module with replace_prefix:; use prefix: instead, which moves all that it makes")

try:
    SETTINGS = resolve(config)
    HAS_LISTS = SETTINGS.dataset.format == "ucf101"
    wanted = SETTINGS.dataset.classes if HAS_LISTS else []
    VIDEOS = choose_source(SETTINGS.dataset.videos, wanted, setting="dataset.videos")
    LISTS = choose_source(SETTINGS.dataset.lists, setting="dataset.lists")
    # Whether own videos are linked to where they lie; there are archives of them, too.
    LINKS = not HAS_LISTS and (VIDEOS.kind == "folder" or SETTINGS.dataset.format == "table")
    CLASS_NAMES = class_names(SETTINGS.dataset, VIDEOS, ROOT)
except UserError as error:
    stop(error)

PACKS = [safe_name(name) for name in CLASS_NAMES]  # the names of their packs, and of the folders of their videos
DATA = ROOT / "data" / SETTINGS.dataset.name
# Runs with other `frames:` settings can share a data set: each finds its own frames.
FRAMES = DATA / "frames" / f"{SETTINGS.frames.short_side}px_q{SETTINGS.frames.quality}"
RESULTS = ROOT / "results" / SETTINGS.run
SPLITS = SETTINGS.splits
SEEDS = SETTINGS.seeds
PROTOCOLS = SETTINGS.evaluate.protocols


def command(script, python=PYTHON):
    """Return the start of a command: it runs workflow_scripts/<script>.py and keeps what that prints in its `--log`.

    It makes no job stale, see `untracked_device`: this folder can be moved. Variables of the Snakefile are unknown to
    the commands of a module, parameters are not.
    """
    start = shlex.join(["bash", str(SCRIPTS / "logged.sh"), python, str(SCRIPTS / f"{script}.py")])
    return lambda wildcards, threads: start


def section(*names):
    """Return parts of the settings (`train`, `evaluate.engine`) for `params`, as a script's `--settings` takes them."""
    return literal(sections_as_text(*names))


def sections_as_text(*names):
    """Return parts of the settings as one line of JSON.

    The text is equal for equal settings, so a job is stale when one of its own settings changes, and only then.
    """
    return as_argument(select(SETTINGS, *names))


def literal(value):
    """Return a parameter as a function, since in a plain value Snakemake reads {name} as a wildcard."""
    return lambda wildcards: value


def evaluation_settings(wildcards):
    """Return the settings of an evaluation; those of the uniform views make only evaluations by that protocol stale."""
    views = ["evaluate.uniform"] if wildcards.protocol == "uniform" else []
    return sections_as_text("evaluate.batch_size", "evaluate.engine", *views)


def untracked_device(wildcards, threads):
    """Return the device, which makes no job stale: Snakemake compares no parameter that is made from `threads`."""
    return SETTINGS.device


def untracked_settings(wildcards, threads):
    """Return all settings, for a job that only writes them down; they do not make it stale, see `untracked_device`."""
    return as_argument(SETTINGS.model_copy(update={"replace": False}))


def untracked_permission(wildcards, threads):
    """Return the option that lets a training start from weights that know its test videos; see `untracked_device`."""
    return "--allow-leak" if SETTINGS.evaluate.allow_leak else ""


def untracked_record(wildcards, threads):
    """Return the settings that a training depends on through its data, for its description; see `untracked_device`."""
    names = ("name", "format", "classes", "groups", "folds", "draw_seed", "faulty_videos")
    return sections_as_text(*(f"dataset.{name}" for name in names), "frames", "validation_groups")


def code_version(script, without=()):
    """Return what changes when workflow_scripts/<script>.py, or library code that it imports, computes differently.

    `without` names modules that it imports and that cannot change this job; the rule says why.
    """
    try:
        return version_of_code(SCRIPTS / f"{script}.py", frozenset(without))
    except UserError as error:
        stop(error)


def folder_version(name):
    """Return what changes when the content of a file in this folder of the project does."""
    digest = hashlib.sha256()
    for path in sorted((PROJECT / name).iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
