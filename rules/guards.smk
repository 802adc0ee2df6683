"""What stops a call before anything runs. A rule that a guard watches has it among its inputs or params."""

from functools import cache

from snakemake.logging import logger

from video3d.preflight import bound_run, compared_runs, other_runs, plan
from video3d.preflight.run_lock import hold_folder
from video3d.preflight.snakemake_notes import use_own_notes


def check_plan(call):
    """Stop if the settings and the files of this machine cannot lead to a result; jobs on a cluster need no GPU here."""
    if call is None:
        return plan.check(SETTINGS, VIDEOS, LISTS, needs_data=not IS_MODULE, root=ROOT)
    other_runs.require_own_files(call.targets, SETTINGS.run, RESULTS.parent)
    if not (call.configfile or call.config or "demo" in call.targets):
        if text := other_runs.hint(SETTINGS.run, RESULTS.parent):
            logger.warning(text)
    needs_data = not only_reports(call)
    plan.check(SETTINGS, VIDEOS, LISTS, call.targets, computes_here=runs_here(call), needs_data=needs_data)


if workflow.is_main_process:
    try:
        check_plan(CALL)
        if not (IS_MODULE or LOOKS):
            hold_folder(unlock=CALL is not None and CALL.unlock)
    except UserError as error:
        stop(error)
    if not IS_MODULE:
        use_own_notes(LOOKS)


def tables_are_bound(wildcards):
    """Stop a call that would replace the tables that a finished training of this run was made from."""
    return stop_if_bound(tuple(RESULTS.glob("split*/seed*")), bound_run.SETTINGS_OF_TABLES)


def trainings_are_bound(wildcards):
    """Stop a call that would replace a finished training by one with other settings."""
    trainings = [RESULTS / f"split{split}" / f"seed{seed}" for split in SETTINGS.trained_splits for seed in SEEDS]
    return stop_if_bound(tuple(trainings), bound_run.SETTINGS_OF_TRAININGS)


@cache
def stop_if_bound(trainings, binding):
    """Stop this call if one of the trainings is finished and was made with other settings."""
    if workflow.is_main_process and not SETTINGS.replace:
        if reason := bound_run.refusal(RESULTS, trainings, SETTINGS, CLASS_NAMES, binding):
            stop(reason)
    return []


def warn_of_changed_evaluations(wildcards):
    """Say in one line which evaluations are made anew with other settings; they take minutes, so nothing is stopped."""
    changes = bound_run.evaluation_changes(RESULTS, SETTINGS)
    if changes and workflow.is_main_process:
        logger.warning(f"{RESULTS} holds other evaluations, which give way to those of this call: {changes}")
    return []


def compared_answers(wildcards):
    """Return a text that changes when the answers of one of two runs do; stop the call if a run is not there.

    The files are no inputs of the comparison: with the settings at hand Snakemake would make them, which trains.
    """
    try:
        return compared_runs.version_of_answers(RESULTS.parent, (wildcards.run, wildcards.other))
    except UserError as error:
        stop(error)


def runs_that_are_there(wildcards):
    """Return a text that changes when a run in results/ does, for an overview of all; see `compared_answers`."""
    return compared_runs.version_of_runs(RESULTS.parent)
