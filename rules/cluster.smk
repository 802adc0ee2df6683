"""What a cluster is told about the jobs, and which rules stay on the machine that hands them out."""


# They need the network, which the nodes of many clusters lack, or take a second or two, less than a wait in a queue.
localrules:
    all,
    download_videos,
    download_splits,
    audit,
    make_splits,
    export_lists,
    accuracy,
    compare,


# The GPUs that a profile counts are those of one machine: they limit jobs that run here, and none that a cluster runs.
resource_scopes:
    gpu="local",


def gpus_to_train(wildcards):
    """How many GPUs a training asks for."""
    return 0 if config["device"] == "cpu" else config["train"]["devices"]


def gpus_to_predict(wildcards):
    """How many GPUs an evaluation asks for, or a prediction of videos."""
    return 0 if config["device"] == "cpu" else 1
