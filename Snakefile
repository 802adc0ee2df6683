# From the UCF101 archive to a report of 3D-ResNet accuracy over the official splits.
# Settings: config.yaml; other experiments: --configfile recipes/<name>.yaml; how to use it: README.md.

import os
import re

from snakemake.utils import min_version

min_version("9.27")


include: "rules/command_line.smk"


# The settings of the folder that is worked in, else those beside this file. A module has those that it is given.
if not IS_MODULE:
    defaults = os.fspath(workflow.current_basedir.join("config.yaml"))

    configfile: "config.yaml" if os.path.exists("config.yaml") else defaults

    if CALL and "demo" in CALL.targets:

        configfile: take_recipe("demo")


include: "rules/common.smk"
include: "rules/guards.smk"
include: "rules/inputs.smk"
include: "rules/call.smk"
include: "rules/console.smk"
include: "rules/cluster.smk"


pathvars:
    dataset=SETTINGS.dataset.name,
    frames=str(FRAMES.relative_to(ROOT)),
    run=SETTINGS.run,


wildcard_constraints:
    class_name="|".join(map(re.escape, PACKS)),
    split=r"[1-9]\d?",
    seed=r"\d+",
    protocol=r"[a-z_]+",
    mark=r"[0-9a-z]+",
    run=r"[A-Za-z0-9][A-Za-z0-9_.-]*",
    other=r"[A-Za-z0-9][A-Za-z0-9_.-]*",


# The landing page names the run. A module leaves the settings and the page of the workflow that uses it as they are.
if not IS_MODULE:
    config["run"] = SETTINGS.run

    report: "report/workflow.rst"


onstart:
    look_for_work_when_jobs_end()


onerror:
    say_last_what_failed()


onsuccess:
    fail_if_files_have_no_answer()


rule all:
    """Make the accuracy over the splits and the figures of the report."""
    input:
        "results/<run>/accuracy.csv",
        "results/<run>/figures/report.html",


include: "rules/download.smk"
include: "rules/frames.smk"
include: "rules/splits.smk"
include: "rules/train.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"
include: "rules/predict.smk"
