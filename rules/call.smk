"""The last words of a call about what failed."""

import atexit

from video3d.common.last_words import end_of_job, name_of_job, sudden_end_of_job


def say_last_what_failed():
    """Print, when everything else has been printed, how each job ended that did not succeed, in its own words."""
    ends = set()
    for job in workflow.scheduler.failed:
        ends.add(end_of_job(*name_and_log(job)) or sudden_end_of_job(*name_and_log(job)))
    for job in workflow.scheduler.running:
        ends.add(end_of_job(*name_and_log(job)))
    for end in sorted(ends - {""}, reverse=True):  # functions that are registered last are called first
        atexit.register(print, end, file=sys.stderr)


def name_and_log(job):
    """Return a job as people call it, and its log."""
    return name_of_job(job.rule.name, job.wildcards_dict), Path(job.log[0])
