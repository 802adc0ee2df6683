"""What all stages share: checked settings, names, paths and versions. No rule is in here."""

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
from pathlib import Path

import psutil
import yaml
from snakemake.cli import parse_args
from snakemake.exceptions import WorkflowError

gc.freeze()  # what Snakemake imported stays: looking for garbage in it takes a tenth of a dry run

PROJECT = Path(workflow.basedir)
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
# The commands say `python`: let it be the one that runs Snakemake, also where no environment is activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

from video3d import code, plan, ucf101
from video3d.config import as_argument, resolve
from video3d.console import UserError
from video3d.files import atomic_path
from video3d.folders import visible_files
from video3d.sources import locate


def check_plan():
    """Stop before anything runs if it cannot work; the jobs of a report, or on a cluster, need no GPU here.

    While the rules are read, Snakemake tells neither the targets nor the executor: the command line does.
    """
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            _, call = parse_args(sys.argv[1:])
    except SystemExit:  # another program calls Snakemake
        return plan.check(config, VIDEOS, LISTS)
    here = call.executor in {None, "local"} and not call.report
    plan.check(config, VIDEOS, LISTS, call.targets, computes_here=here)


try:
    config = resolve(config)
    VIDEOS = locate(config["dataset"]["videos"], config["dataset"]["classes"], setting="dataset.videos")
    LISTS = locate(config["dataset"]["lists"], setting="dataset.lists")
    if workflow.is_main_process:
        check_plan()
except UserError as error:
    raise WorkflowError(str(error)) from None

ACTIONS = config["dataset"]["classes"] or list(ucf101.CLASSES)
SPLITS = config["splits"]
SEEDS = config["seeds"]
PROTOCOLS = config["evaluate"]["protocols"]


def section(*names):
    """These parts of the settings (`train`, `evaluate.engine`), as a script's `--settings` takes them, for `params`.

    The text is equal for equal settings, so a job is stale when one of its own settings changes, and only then.
    """
    parts = {}
    for name in names:
        *above, last = name.split(".")
        source, target = config, parts
        for key in above:
            source, target = source[key], target.setdefault(key, {})
        target[last] = source[last]
    return literal(as_argument(parts))


def literal(value):
    """A parameter as it is: in one that is not given by a function, Snakemake takes {name} for a wildcard."""
    return lambda wildcards: value


PATTERN = re.compile("[{}<>]")


def as_inputs(files):
    """Those of the user's `files` that can be inputs: in a path Snakemake takes {name} and <name> for its own."""
    return [file for file in files if not PATTERN.search(file)]


def as_parameter(files):
    """The files that cannot be inputs, with size and time, so that a new one makes a job stale as a new input does."""
    facts = [(file, Path(file).stat()) for file in files if PATTERN.search(file)]
    return [f"{file}, {fact.st_size} bytes, {fact.st_mtime_ns}" for file, fact in facts]


def as_argument_of_a_list(paths):
    """Paths and URLs for an option that takes several, none of which looks like another option."""
    return literal([f"./{path}" if path.startswith("-") else path for path in paths])


def evaluation_settings(wildcards):
    """The settings of an evaluation; those of the uniform views make evaluations by the protocol `uniform` stale only."""
    views = ["evaluate.uniform"] if wildcards.protocol == "uniform" else []
    return section("evaluate.batch_size", "evaluate.engine", *views)


def untracked_device(wildcards, threads):
    """The device, which does not make a job stale: Snakemake compares no parameter that is made from `threads`."""
    return config["device"]


def code_version(script):
    """What changes when workflow_scripts/<script>.py, or library code that it imports, computes something else."""
    return code.code_version(PROJECT / "workflow_scripts" / f"{script}.py")


def folder_version(name):
    """What changes when the content of a file in this folder of the project does."""
    digest = hashlib.sha256()
    for path in sorted((PROJECT / name).iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def write_settings():
    """Keep the resolved settings beside the results that come from them."""
    with atomic_path(f"results/{config['run']}/config.yaml") as path:
        path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")


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


def unpack_source():
    """What `unpack` reads: a folder of videos as it lies, anything else from resources/."""
    return VIDEOS.path if VIDEOS.kind == "folder" else f"resources/{config['dataset']['name']}/{VIDEOS.name}"


def videos_of(wildcards):
    """The unpacked videos of one class, known once `unpack` is done."""
    folder = Path(checkpoints.unpack.get().output.videos, wildcards.action)
    return sorted(map(str, folder.iterdir())) if folder.is_dir() else []


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


def weights_of(wildcards):
    """The weights that are exported: those of `evaluate: weights:` for this split if given, else the trained ones."""
    trained = f"results/{config['run']}/split{wildcards.split}/seed{wildcards.seed}/weights.pdparams"
    return config["evaluate"]["weights"].get(wildcards.split, trained)


def each_evaluation(name):
    """This file of every split, seed and protocol."""
    pattern = "results/<run>/split{split}/seed{seed}/{protocol}/{name}"
    return expand(pattern, split=SPLITS, seed=SEEDS, protocol=PROTOCOLS, name=name)


def each_training(name):
    """This file of every training of this run; a split with given weights has none."""
    trained = [split for split in SPLITS if str(split) not in config["evaluate"]["weights"]]
    return expand("results/<run>/split{split}/seed{seed}/{name}", split=trained, seed=SEEDS, name=name)


def model_of_prediction(name):
    """This file of the exported model that names the videos of the target `predict`: the first split and seed."""
    return f"results/<run>/split{SPLITS[0]}/seed{SEEDS[0]}/model/{name}"


def videos_to_predict(wildcards):
    """The videos in the folder `predict: videos:`, one by one, so that a new or replaced one is predicted."""
    folder = config["predict"]["videos"]
    return [str(path) for path in visible_files(Path(folder).expanduser())] if folder else []
