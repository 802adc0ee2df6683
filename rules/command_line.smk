"""What Snakemake was called with. While the rules are read, it tells neither the targets nor the executor, nor more."""

import contextlib
import io
import os
import sys
from pathlib import Path

from snakemake.cli import parse_args

IS_MODULE = not workflow.modifier.is_main_snakefile()
ONLY_LOOK = (
    *("dryrun", "lint", "dag", "rulegraph", "filegraph", "d3dag", "summary", "detailed_summary", "containerize"),
    *("list_rules", "list_target_rules", "list_changes", "list_input_changes", "list_params_changes", "list_untracked"),
    *("list_conda_envs", "print_compilation"),
)


def command_line():
    """Return the options of this call, or None if another program calls Snakemake.

    Profiles are found from the folder where the call was made, which --directory has left by now.
    """
    start = os.environ.get("PWD", ".") if workflow.overwrite_workdir else "."
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.chdir(start):
            return parse_args(sys.argv[1:])[1]
    except (SystemExit, OSError):
        return None


def runs_here(call):
    """Whether the jobs run on this machine, not on a cluster."""
    return call.executor in {None, "local"}


def only_reports(call):
    """Whether a call gathers what is there into a report."""
    return bool(call.report) and not call.report_after_run


def only_looks(call):
    """Whether a call makes and changes nothing of the workflow's."""
    return only_reports(call) or any(getattr(call, option) for option in ONLY_LOOK)


def take_recipe(name):
    """Return the path of a recipe, and have the jobs on other machines read it, too."""
    path = Path(workflow.main_snakefile).parent / "recipes" / f"{name}.yaml"
    workflow.config_settings.configfiles = [*workflow.config_settings.configfiles, path]
    return os.fspath(path)


# The targets of a workflow that has this one as a module are its own, and so are its folder and its GPUs.
CALL = command_line() if workflow.is_main_process and not IS_MODULE else None
LOOKS = workflow.output_settings.dryrun or (CALL is not None and only_looks(CALL))
sys.dont_write_bytecode |= LOOKS  # of the code that is imported next
