"""What all stages share: checked settings, names, paths and versions. No rule is in here."""

import atexit
import gc
import hashlib
import json
import os
import shlex
import socket
import sys
from pathlib import Path

import psutil
import yaml
from snakemake.exceptions import WorkflowError

gc.freeze()  # what Snakemake imported stays: looking for garbage in it takes a tenth of a dry run

PROJECT = Path(workflow.basedir)
sys.path.insert(0, str(PROJECT / "workflow_scripts"))
# The commands say `python`: let it be the one that runs Snakemake, also where no environment is activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

from video3d import code, ucf101
from video3d.config import as_argument, resolve
from video3d.console import UserError
from video3d.files import atomic_path
from video3d.folders import visible_files
from video3d.sources import locate

try:
    config = resolve(config)
    VIDEOS = locate(config["dataset"]["videos"], config["dataset"]["classes"], setting="dataset.videos")
    LISTS = locate(config["dataset"]["lists"], setting="dataset.lists")
except UserError as error:
    raise WorkflowError(str(error)) from None

ACTIONS = config["dataset"]["classes"] or list(ucf101.CLASSES)
SPLITS = config["splits"]
SEEDS = config["seeds"]
PROTOCOLS = config["evaluate"]["protocols"]


def section(*names):
    """These parts of the settings (`train`, `evaluate.engine`), as a script's `--settings` takes them.

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
    return VIDEOS.path if VIDEOS.kind == "folder" else videos_archive()


def videos_of(wildcards):
    """The unpacked videos of one class, known once `unpack` is done."""
    folder = Path(checkpoints.unpack.get().output.videos, wildcards.action)
    return sorted(map(str, folder.iterdir())) if folder.is_dir() else []


def frames_folder(wildcards, input):
    """Where the packs and their tables are, as scripts take them: one folder instead of 101 names."""
    return Path(input.manifests[0]).parent


def description_of(weights):
    """The description beside a file of weights that the user gave, if there is one."""
    if not weights:
        return []
    description = Path(weights).with_suffix(".json")
    return [str(description)] if description.is_file() else []


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


def videos_to_predict():
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
