"""What a cluster is told about the jobs.

The rules with `localrule: True` stay on the machine that hands them out: they need the network, which the nodes of many
clusters lack, or take a second or two, less than a wait in a queue. `localrules:` would not know their names in a module.
A node starts Snakemake twice to run one job: its rule's `mem_mb` holds 300 MB for that.
"""

# On one machine, jobs that use a GPU run one after the other unless the call says how many GPUs there are
# (--resources gpu=4). A profile cannot say so: its limit would hold on a cluster, too, which counts its own GPUs.
if CALL and runs_here(CALL) and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", 1)


def look_for_work_when_jobs_end():
    """Let the scheduler rest while nothing can begin, where all jobs run on this machine.

    Snakemake may start a hundred jobs a second. To keep to that, each of its steps starts a timer for another one a
    second later: after a hundred jobs it takes a hundred and more steps a second, to the end of the run. One machine
    needs no such limit, as its cores bound the jobs. A cluster has it from its profile.
    """
    if CALL and runs_here(CALL):
        workflow.scheduler.job_rate_limiter = None


def gpus_to_train(wildcards):
    """How many GPUs a training asks for; None on the CPU, so that not even the word is among its resources.

    Snakemake leaves out a resource that is None. Kubernetes' plugin takes gpu=0 for a job that needs a GPU.
    """
    return None if SETTINGS.device == "cpu" else SETTINGS.train.devices


def gpus_to_predict(wildcards):
    """How many GPUs an evaluation asks for, or a prediction of videos; see `gpus_to_train`."""
    return None if SETTINGS.device == "cpu" else 1
