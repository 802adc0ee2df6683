"""The files that the rules read and make, where the settings decide which."""

import shlex
from functools import cache

from video3d.common.folders import expand_home, visible_entries
from video3d.common.wildcard_paths import as_inputs, as_parameter
from video3d.dataset.video_files import is_video_file
from video3d.fetch import unpacked
from video3d.fetch.own_videos import version_of_names
from video3d.frames.videos_version import videos_version
from video3d.preflight import evaluated_weights
from video3d.preflight.plan import MISSING_FOLDER
from video3d.weights.description import description_path


def exact_inputs(files):
    """Return those of `files` that can be inputs; marked as local, they get no second prefix from a module."""
    return [local(file) for file in as_inputs(files)]


def option(name, values):
    """Return a command line's `--name value …`, quoted; nothing at all if no value is set."""
    return shlex.join([name, *values]) if any(values) else ""


def option_values(paths):
    """Return paths and URLs for an option that takes several, so that none looks like another option."""
    return literal([f"./{path}" if path.startswith("-") else path for path in paths])


def videos_archive():
    """Return where the archive of videos is kept; its name tells what it is and which classes it holds."""
    return f"resources/<dataset>/{VIDEOS.name}"


def unpacked_table():
    """Return the table that says which videos were unpacked for these settings."""
    return str(unpacked.unpacked_table(SETTINGS.dataset))


def unpack_source():
    """Return what `unpack` reads: a folder or a table of videos as it lies, anything else from resources/."""
    archive = ROOT / "resources" / SETTINGS.dataset.name / VIDEOS.name
    return VIDEOS.path if LINKS or VIDEOS.kind == "folder" else str(archive)


def lists_folder():
    """Return the folder of the official lists."""
    return str(ROOT / "resources" / SETTINGS.dataset.name / "ucfTrainTestlist")


def own_archive():
    """Return the archive of own videos; nothing for those that lie here, as their names are a parameter."""
    return [] if HAS_LISTS or LINKS else [unpack_source()]


def untracked_origin(wildcards, threads):
    """Return the option that tells `list_videos` where the lists or the own videos are; see `untracked_device`."""
    return shlex.join(["--lists", lists_folder()] if HAS_LISTS else [f"--source={unpack_source()}"])


def drawing():
    """Return the options that tell `list_videos` how splits are drawn; nothing where lists bring them."""
    if HAS_LISTS:
        return ""
    draw = DATA / f"draw_{SETTINGS.dataset.folds}_{SETTINGS.dataset.draw_seed}.csv"
    settings = sections_as_text(*(f"dataset.{name}" for name in ("format", "groups", "folds", "draw_seed")))
    return literal(shlex.join(["--settings", settings, "--draw", str(draw)]))


def version_of_own_names(wildcards):
    """Return a parameter that changes when an own video that lies here is added, removed or renamed."""
    return version_of_names(Path(VIDEOS.path)) if LINKS else ""


def videos_folder(class_name=""):
    """Return the folder of the unpacked videos of one class, or of all."""
    return str(DATA / "videos" / class_name)


def after_unpacking(wildcards):
    """Return no file, once `unpack` is done: a class may have thousands of videos, and each input of a job costs time.

    Where there is nothing left to unpack, `unpack` stays out of the jobs: Snakemake would plan anew everything
    that comes after it, whatever it does.
    """
    if not all_unpacked():
        checkpoints.unpack.get()
    folder = Path(videos_folder(wildcards.class_name))
    if not any(is_video_file(path.name) for path in folder.glob("*")) and not (CALL and only_reports(CALL)):
        stop(
            f"{folder} holds no video, though it was unpacked before; what was made of its videos is kept. Delete "
            f"{folder.parent / '.unpacked'}, and call again: what is missing is unpacked again where it is needed"
        )
    return []


def version_of_videos(wildcards):
    """Return a parameter that stands for the videos of a class: it changes when one is replaced, added or removed."""
    name = wildcards.class_name
    return videos_version(Path(videos_folder(name)), FRAMES / f"{name}.csv", keep=not LOOKS)


@cache
def all_unpacked():
    """Return whether `unpack` was done before with what it reads now."""
    table, source = ROOT / unpacked_table(), Path(unpack_source())
    if LINKS:
        return unpacked.are_own_videos_linked(table, source, CLASS_NAMES, Path(videos_folder()))
    return unpacked.is_unpacked(table, source, CLASS_NAMES)


def frames_folder(wildcards, input):
    """Return the folder of the packs and their manifests, as scripts take it: one path instead of 101."""
    return Path(input.manifests[0]).parent


def with_description(weights):
    """Return a file of weights that the user gave, and the description beside it if there is one; nothing for no file."""
    files = [Path(weights), description_path(Path(weights))] if weights else []
    return [str(file) for file in files if file.is_file()]


def given_weight_files(wildcards):
    """Return the files that `evaluate: weights:` gives for this split."""
    return with_description(SETTINGS.evaluate.weights.get(wildcards.split))


def weights_path(wildcards):
    """Return the weights that are exported: those that `evaluate: weights:` gives for this split, else the trained ones."""
    return SETTINGS.evaluate.weights.get(wildcards.split, f"{training_folder(wildcards)}/weights.pdparams")


def weights_inputs(wildcards):
    """Return the weights of this split as inputs: those that are given, with their description, else the trained ones."""
    return exact_inputs(given_weight_files(wildcards) or [weights_path(wildcards)])


def origin_path(wildcards):
    """Return where `check_weights` keeps what it finds out about the weights that are evaluated."""
    mark = evaluated_weights.weights_mark(SETTINGS.evaluate.weights.get(wildcards.split))
    return local(f"{training_folder(wildcards)}/origins/{mark}.json")


def replacement(wildcards):
    """Return a parameter that changes when the weights are not those that `check_weights` looked at."""
    return evaluated_weights.replacement(Path(weights_path(wildcards)), Path(origin_path(wildcards)))


def training_folder(wildcards):
    """Return the folder of the results of one split and seed."""
    return RESULTS / f"split{wildcards.split}" / f"seed{wildcards.seed}"


def each_evaluation(name):
    """Return this file of every split, seed and protocol."""
    pattern = "results/<run>/split{split}/seed{seed}/{protocol}/{name}"
    return expand(pattern, split=SPLITS, seed=SEEDS, protocol=PROTOCOLS, name=name)


def each_training(name):
    """Return this file of every training of this run; a split with given weights has none."""
    splits = SETTINGS.trained_splits
    return expand("results/<run>/split{split}/seed{seed}/{name}", split=splits, seed=SEEDS, name=name)


def untracked_trainings(wildcards, threads):
    """Return the weights of every training of this run, by which each says what is left; see `untracked_device`."""
    return [
        f"{RESULTS}/split{split}/seed{seed}/weights.pdparams" for split in SETTINGS.trained_splits for seed in SEEDS
    ]


def model_of_prediction(name):
    """Return this file of the exported model that names the videos of the target `predict`: the first split and seed."""
    return f"results/<run>/split{SPLITS[0]}/seed{SEEDS[0]}/model/{name}"


def folder_to_predict():
    """Return the folder `predict: videos:`, with its ~ expanded; empty if none is set."""
    return str(expand_home(Path(SETTINGS.predict.videos))) if SETTINGS.predict.videos else ""


def videos_to_predict(wildcards):
    """Return what is in the folder `predict: videos:`, file by file, so that a new or replaced one is predicted."""
    if not folder_to_predict():
        stop(MISSING_FOLDER)
    return [str(path) for path in visible_entries(Path(folder_to_predict()))]
