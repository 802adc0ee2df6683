"""What all stages share: checked settings, names, paths and versions. No rule is in here."""

import atexit
import contextlib
import gc
import hashlib
import io
import json
import os
import re
import shlex
import socket
import sys
from functools import cache
from pathlib import Path

import psutil
from snakemake.cli import parse_args
from snakemake.logging import logger

gc.freeze()  # what Snakemake imported stays: looking for garbage in it takes a tenth of a dry run

PROJECT = Path(workflow.basedir)
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
# The commands say `python`: let it be the one that runs Snakemake, also where no environment is activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

from video3d.common.code_version import code_version as version_of_code
from video3d.common.errors import UserError
from video3d.common.folders import visible_files
from video3d.common.settings import as_argument, resolve
from video3d.dataset import ucf101
from video3d.fetch import unpacked
from video3d.fetch.sources import locate
from video3d.preflight import bound_run, plan


def stop(message):
    """End this call, a dry run too, before anything runs, with these words as the last ones.

    Not with an exception that Snakemake knows: of an input function it hides them where the output exists already, and
    elsewhere lines of these rules would come after the words.
    """
    raise SystemExit(f"error: {message}")


def check_plan():
    """Stop before anything runs if it cannot work; jobs on a cluster need no GPU here.

    While the rules are read, Snakemake tells neither the targets nor the executor: the command line does.
    """
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            _, call = parse_args(sys.argv[1:])
    except SystemExit:  # another program calls Snakemake
        return plan.check(SETTINGS, VIDEOS, LISTS)
    here = call.executor in {None, "local"}
    plan.check(SETTINGS, VIDEOS, LISTS, call.targets, computes_here=here, reports=bool(call.report))


try:
    SETTINGS = resolve(config)
    config = SETTINGS.model_dump()
    VIDEOS = locate(config["dataset"]["videos"], config["dataset"]["classes"], setting="dataset.videos")
    LISTS = locate(config["dataset"]["lists"], setting="dataset.lists")
    if workflow.is_main_process:
        check_plan()
except UserError as error:
    stop(error)

ACTIONS = config["dataset"]["classes"] or list(ucf101.CLASSES)
# Runs with other `frames:` settings can share a data set: each finds its own frames.
FRAMES = "data/{name}/frames/{short_side}px_q{quality}".format(**config["dataset"], **config["frames"])
SPLITS = config["splits"]
SEEDS = config["seeds"]
PROTOCOLS = config["evaluate"]["protocols"]


def section(*names):
    """These parts of the settings (`train`, `evaluate.engine`), as a script's `--settings` takes them, for `params`."""
    return literal(sections_as_text(*names))


def sections_as_text(*names):
    """These parts of the settings as one line of JSON.

    The text is equal for equal settings, so a job is stale when one of its own settings changes, and only then.
    """
    parts = {}
    for name in names:
        *above, last = name.split(".")
        source, target = config, parts
        for key in above:
            source, target = source[key], target.setdefault(key, {})
        target[last] = source[last]
    return as_argument(parts)


def literal(value):
    """A parameter as it is: in one that is not given by a function, Snakemake takes {name} for a wildcard."""
    return lambda wildcards: value


PATTERN = re.compile("[{}<>]")


def as_inputs(files):
    """Those of the user's `files` that can be inputs: in a path Snakemake takes {name} and <name> for its own."""
    return [file for file in files if not PATTERN.search(file)]


def as_parameter(files):
    """The files that cannot be inputs, with size and time, so that a new one makes a job stale as a new input does."""
    return [f"{file}, {file_state(file)}" for file in files if PATTERN.search(file)]


def as_argument_of_a_list(paths):
    """Paths and URLs for an option that takes several, none of which looks like another option."""
    return literal([f"./{path}" if path.startswith("-") else path for path in paths])


def evaluation_settings(wildcards):
    """The settings of an evaluation; those of the uniform views make evaluations by the protocol `uniform` stale only."""
    views = ["evaluate.uniform"] if wildcards.protocol == "uniform" else []
    return sections_as_text("evaluate.batch_size", "evaluate.engine", *views)


def untracked_device(wildcards, threads):
    """The device, which does not make a job stale: Snakemake compares no parameter that is made from `threads`."""
    return config["device"]


def untracked_settings(wildcards, threads):
    """All settings, for those who only write them down; they make no job stale, see `untracked_device`."""
    return as_argument(config | {"replace": False})


def untracked_permission(wildcards, threads):
    """The option that lets a training start from weights that know its test videos; see `untracked_device`."""
    return "--allow-leak" if config["evaluate"]["allow_leak"] else ""


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


OWNERS = Path(".snakemake/owners")


def claim_folder():
    """Write down which process runs here, so that a later call can tell a lock from what a killed run left behind."""
    OWNERS.mkdir(exist_ok=True)
    owner = OWNERS / f"{socket.gethostname()}-{os.getpid()}.json"
    owner.write_text(json.dumps([socket.gethostname(), os.getpid(), psutil.Process().create_time()]))


def release_stale_locks():
    """Remove the locks of runs that were killed on this machine; with one run alive, or elsewhere, all locks stay."""
    owners = list(OWNERS.glob("*.json"))
    if owners and not any(may_be_running(*json.loads(owner.read_text())) for owner in owners):
        for path in [*Path(".snakemake/locks").glob("*.lock"), *owners]:
            path.unlink(missing_ok=True)


def may_be_running(host, process, created):
    """Whether this process lives, or is on another machine, where nobody here can look."""
    try:
        return host != socket.gethostname() or psutil.Process(process).create_time() == created
    except psutil.NoSuchProcess:
        return False


def option(name, values):
    """A command line's `--name value …`, quoted; nothing at all if no value is set."""
    return shlex.join([name, *values]) if any(values) else ""


def local_files(source):
    """The local files that are fetched from a source: an archive, or the lists in a folder; none for a URL."""
    if source.kind == "folder":
        return sorted(map(str, Path(source.path).glob("*.txt")))
    return [source.path] if source.kind == "archive" else []


def videos_archive():
    """Where the archive of videos is kept; its name tells what it is and which classes it holds."""
    return f"resources/<dataset>/{VIDEOS.name}"


def unpacked_table():
    """The table that says which videos were unpacked for these settings."""
    return str(unpacked.unpacked_table(SETTINGS.dataset))


def unpack_source():
    """What `unpack` reads: a folder of videos as it lies, anything else from resources/."""
    return VIDEOS.path if VIDEOS.kind == "folder" else f"resources/{config['dataset']['name']}/{VIDEOS.name}"


def videos_of(wildcards):
    """The unpacked videos of one class, known once `unpack` is done.

    Where there is nothing left to unpack, `unpack` stays out of the jobs: Snakemake would plan everything anew that
    comes after it, whatever it does.
    """
    if not all_unpacked():
        checkpoints.unpack.get()
    folder = Path(f"data/{config['dataset']['name']}/videos/{wildcards.action}")
    videos = sorted(map(str, folder.glob("*.avi")))
    if not videos:
        stop(
            f"{folder} holds no video, though it was unpacked before; what was made of its videos is kept. Delete "
            f"{folder.parent / '.unpacked'}, and call again: what is missing is unpacked again where it is needed"
        )
    return videos


@cache
def all_unpacked():
    """Whether `unpack` was done before with what it reads now."""
    return unpacked.is_unpacked(Path(unpacked_table()), Path(unpack_source()), ACTIONS)


def frames_folder(wildcards, input):
    """Where the packs and their tables are, as scripts take them: one folder instead of 101 names."""
    return Path(input.manifests[0]).parent


def with_description(weights):
    """A file of weights that the user gave, and the description beside it if there is one; nothing for no file."""
    files = [Path(weights), Path(weights).with_suffix(".json")] if weights else []
    return [str(file) for file in files if file.is_file()]


def given_weights(wildcards):
    """The files that `evaluate: weights:` gives for this split."""
    return with_description(config["evaluate"]["weights"].get(wildcards.split))


def bound_tables(wildcards):
    """No input: stops a call that would replace the tables that a finished training of this run was made from."""
    return stop_if_bound(tuple(Path("results", config["run"]).glob("split*/seed*")), bound_run.OF_TABLES)


def bound_trainings(wildcards):
    """No input: stops a call that would replace a finished training by one with other settings."""
    run = Path("results", config["run"])
    trainings = [run / f"split{split}" / f"seed{seed}" for split in plan.trained_splits(SETTINGS) for seed in SEEDS]
    return stop_if_bound(tuple(trainings), bound_run.OF_TRAININGS)


@cache
def stop_if_bound(trainings, binding):
    """Stop this call if one of the trainings is finished and was made with other settings; the list of no inputs."""
    if workflow.is_main_process and not config["replace"]:
        if reason := bound_run.refusal(Path("results", config["run"]), trainings, SETTINGS, ACTIONS, binding):
            stop(reason)
    return []


def evaluated_before(wildcards):
    """No input: one line about the evaluations that are made anew with other settings, which asks nothing."""
    changes = bound_run.evaluation_changes(Path("results", config["run"]), SETTINGS)
    if changes and workflow.is_main_process:
        logger.warning(
            f"results/{config['run']} holds other evaluations, which give way to those of this call: {changes}"
        )
    return []


def weights_to_evaluate(wildcards):
    """The weights of this split as inputs: those that are given, with their description, else the trained ones."""
    return as_inputs(given_weights(wildcards) or [weights_of(wildcards)])


def evaluated_origin(wildcards):
    """Where `check_weights` keeps what it finds out about the weights that are evaluated.

    Each file that is given has a place of its own, and a new one if it changes: Snakemake removes the outputs of a job
    before it starts, and weights that are refused must leave what is known about those that were evaluated before.
    """
    given = config["evaluate"]["weights"].get(wildcards.split)
    mark = hashlib.sha256(f"{given} {file_state(given)}".encode()).hexdigest()[:8] if given else "trained"
    return f"results/{config['run']}/split{wildcards.split}/seed{wildcards.seed}/origins/{mark}.json"


def file_state(path):
    """Size and time of a file, as text: another text means another file."""
    state = Path(path).stat()
    return f"{state.st_size} bytes, {state.st_mtime_ns}"


def replacement(wildcards):
    """Changes when the weights are others than those that `check_weights` looked at, also if they are older files."""
    weights, origin = Path(weights_of(wildcards)), bound_run.read_mapping(Path(evaluated_origin(wildcards)))
    if not (origin and weights.is_file()):
        return ""
    return origin["replacement"] if origin["file_state"] == file_state(weights) else file_state(weights)


def weights_of(wildcards):
    """The weights that are exported: those of `evaluate: weights:` for this split if given, else the trained ones."""
    results = f"results/{config['run']}/split{wildcards.split}/seed{wildcards.seed}"
    return config["evaluate"]["weights"].get(wildcards.split, f"{results}/weights.pdparams")


def each_evaluation(name):
    """This file of every split, seed and protocol."""
    pattern = "results/<run>/split{split}/seed{seed}/{protocol}/{name}"
    return expand(pattern, split=SPLITS, seed=SEEDS, protocol=PROTOCOLS, name=name)


def each_training(name):
    """This file of every training of this run; a split with given weights has none."""
    splits = plan.trained_splits(SETTINGS)
    return expand("results/<run>/split{split}/seed{seed}/{name}", split=splits, seed=SEEDS, name=name)


def compared_runs(wildcards):
    """What changes when the answers of either of two runs do; stops the call if one is not there.

    The files are no inputs of the comparison: with the settings at hand Snakemake would make them, which trains.
    """
    digest = hashlib.sha256()
    for run in (wildcards.run, wildcards.other):
        folder = Path("results", run)
        if not (folder / "accuracy.csv").is_file():
            finished = sorted(path.parent.name for path in Path("results").glob("*/accuracy.csv"))
            stop(
                f"there is no run {run} to compare: {folder}/accuracy.csv does not exist in {Path.cwd()}; runs that are "
                f"there: {', '.join(finished) or 'none'}. A comparison makes no run: make it first, with its settings."
            )
        for path in [folder / "accuracy.csv", *sorted(folder.glob("split*/seed*/*/predictions.csv"))]:
            digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def model_of_prediction(name):
    """This file of the exported model that names the videos of the target `predict`: the first split and seed."""
    return f"results/<run>/split{SPLITS[0]}/seed{SEEDS[0]}/model/{name}"


def videos_to_predict(wildcards):
    """The videos in the folder `predict: videos:`, one by one, so that a new or replaced one is predicted."""
    folder = config["predict"]["videos"]
    return [str(path) for path in visible_files(Path(folder).expanduser())] if folder else []


# Ctrl-C and `kill` can reach every process of a job at once: the shell and tee outlast the script, so that its last
# words come through.
shell.prefix("set -euo pipefail; trap : INT TERM; tee() {{ (trap '' INT TERM; exec tee \"$@\"); }}; ")


def say_last_what_failed():
    """Print, when everything else has been printed, how each job ended that did not succeed, in its own words."""
    failed, interrupted = workflow.scheduler.failed, workflow.scheduler.running
    ends = [end_of_job(job) or fallen_silent(job) for job in failed] + [end_of_job(job) for job in interrupted]
    for end in sorted(set(filter(None, ends)), reverse=True):  # functions that are registered last are called first
        atexit.register(print, end, file=sys.stderr)


def end_of_job(job):
    """The last words in the log of a job, if they are those of a script that an error or the user ended."""
    lines = lines_of_log(job)
    starts = [number for number, line in enumerate(lines) if line.startswith(("error: ", "interrupted: "))]
    if not starts:
        return None
    kind, _, words = "\n".join(lines[starts[-1] :]).partition(": ")
    return f"{kind} in {name_of_job(job)}: {words}" + (f" (log: {job.log[0]})" if kind == "error" else "")


def fallen_silent(job):
    """What is said about a job that was killed or broke down: the last line of its log."""
    last = [line for line in lines_of_log(job) if line.strip()][-1:]
    return f"error in {name_of_job(job)}: it ended after {last[0] if last else 'no word'!r} (log: {job.log[0]})"


def lines_of_log(job):
    log = Path(job.log[0])
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []


def name_of_job(job):
    wildcards = ", ".join(f"{name} {value}" for name, value in job.wildcards_dict.items())
    return f"{job.rule.name} ({wildcards})" if wildcards else job.rule.name
