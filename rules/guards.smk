"""What stops a call before anything runs. A rule that a guard watches has it among its inputs or params."""

import contextlib
import io
import os
from functools import cache

from snakemake.cli import parse_args
from snakemake.logging import logger

from video3d.preflight import bound_run, compared_runs, plan
from video3d.preflight.run_lock import hold_folder


def command_line():
    """What Snakemake was called with, or None if another program calls it.

    While the rules are read, Snakemake tells neither the targets nor the executor. Profiles are found from the folder
    where the call was made, which --directory has left by now.
    """
    start = os.environ.get("PWD", ".") if workflow.overwrite_workdir else "."
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.chdir(start):
            return parse_args(sys.argv[1:])[1]
    except (SystemExit, OSError):
        return None


def check_plan(call):
    """Stop if the settings and the files of this machine cannot lead to a result; jobs on a cluster need no GPU here."""
    if call is None:
        return plan.check(SETTINGS, VIDEOS, LISTS, needs_data=not IS_MODULE, root=ROOT)
    needs_data = call.report_after_run or not call.report
    plan.check(SETTINGS, VIDEOS, LISTS, call.targets, computes_here=runs_here(call), needs_data=needs_data)


def runs_here(call):
    """Whether the jobs run on this machine, not on a cluster."""
    return call.executor in {None, "local"}


# The targets of a workflow that has this one as a module are its own, and so are its folder and its GPUs.
CALL = command_line() if workflow.is_main_process and not IS_MODULE else None

if workflow.is_main_process:
    try:
        check_plan(CALL)
    except UserError as error:
        stop(error)
    if not (IS_MODULE or workflow.output_settings.dryrun or (CALL and CALL.lint)):
        hold_folder()


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
