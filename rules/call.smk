"""What ties the jobs to their call: they end with it, and its last words are theirs."""

import atexit
import csv

from video3d.common.job import tell_jobs_of_the_end
from video3d.common.last_words import end_of_job, name_of_job, sudden_end_of_job

shell._process_args["pass_fds"] = (tell_jobs_of_the_end(),)  # arguments of subprocess.Popen


def say_last_what_failed():
    """Print, when everything else has been printed, how each job ended that did not succeed, in its own words."""
    ends = set()
    on_a_cluster = CALL is not None and not runs_here(CALL)
    for job in workflow.scheduler.failed:
        ends.add(end_of_job(*name_and_log(job)) or sudden_end_of_job(*name_and_log(job), on_a_cluster))
    for job in workflow.scheduler.running:
        ends.add(end_of_job(*name_and_log(job)))
    for end in sorted(ends - {""}, reverse=True):  # functions that are registered last are called first
        atexit.register(print, end, file=sys.stderr)


def name_and_log(job):
    """Return a job as people call it, and its log."""
    return name_of_job(job.rule.name, job.wildcards_dict), Path(job.log[0])


def fail_if_files_have_no_answer():
    """End a call that named videos with exit code 1 if some files have no answer; those of the others are kept."""
    jobs = [job for job in workflow.dag.jobs if job.rule.name == "predict" and workflow.dag.finished(job)]
    for job in jobs:
        with open(job.output[0], newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if unanswered := [row for row in rows if not row["top1_class"]]:
            stop(f"{len(unanswered)} of {len(rows)} files have no answer; {job.output[0]} has the reasons")
