rule make_demo_dataset:
    """Draw the videos of the embedded demo and pack them like UCF101, with lists in the official format."""
    output:
        videos="resources/demo/source/UCF101_demo_videos.zip",
        lists="resources/demo/source/UCF101_demo_lists.zip",
    log:
        "logs/make_demo_dataset/demo.log",
    benchmark:
        "benchmarks/make_demo_dataset/demo.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=1000,
    params:
        command=command("make_demo_dataset"),
        folder=subpath(output.videos, parent=True),
        code=code_version("make_demo_dataset"),
    shell:
        "exec {params.command} --log {log:q} --output {params.folder:q}"


rule download_videos:
    """Fetch the archive of videos, or link to a local one, and check its SHA-256."""
    input:
        lambda wildcards: exact_inputs(VIDEOS.local_files()),
    output:
        videos_archive(),
    log:
        "logs/download_videos/<dataset>.log",
    benchmark:
        "benchmarks/download_videos/<dataset>.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("download_videos"),
        sources=option_values(SETTINGS.dataset.videos),
        local=lambda wildcards: as_parameter(VIDEOS.local_files()),
        sha256=option("--sha256", [SETTINGS.dataset.videos_sha256]),
        classes=option("--classes", VIDEOS.classes),
    shell:
        "exec {params.command} --log {log:q} --source {params.sources:q} {params.sha256}"
        " {params.classes} --output {output:q}"


rule download_splits:
    """Fetch the official train and test lists, and check their SHA-256."""
    input:
        lambda wildcards: exact_inputs(LISTS.local_files()),
    output:
        lists=directory("resources/<dataset>/ucfTrainTestlist"),
        checksums="resources/<dataset>/ucfTrainTestlist.sha256",
    log:
        "logs/download_splits/<dataset>.log",
    benchmark:
        "benchmarks/download_splits/<dataset>.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("download_splits"),
        sources=option_values(SETTINGS.dataset.lists),
        local=lambda wildcards: as_parameter(LISTS.local_files()),
        sha256=option("--sha256", [SETTINGS.dataset.lists_sha256]),
    shell:
        "exec {params.command} --log {log:q} --source {params.sources:q} {params.sha256}"
        " --output {output.lists:q} --checksums {output.checksums:q}"


checkpoint unpack:
    """Add the videos of the wanted classes to data/<dataset>/videos; those of a folder are linked, not copied.

    Nothing is replaced or deleted, so runs with other classes can share the data set. The inputs must not be
    `ancient()`: Snakemake would take a job whose ancient input is made in the same call for done (docs/snakemake.md).
    """
    input:
        source=exact_inputs([unpack_source()]),
        lists=rules.download_splits.output.lists if HAS_LISTS else [],
    output:
        table=unpacked_table(),
    log:
        "logs/unpack/<dataset>.log",
    benchmark:
        "benchmarks/unpack/<dataset>.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
    params:
        command=command("unpack"),
        source=literal(unpack_source()),
        lists=literal(option("--lists", [lists_folder()] if HAS_LISTS else [])),
        class_names=literal(CLASS_NAMES),
        videos=literal(videos_folder()),
    shell:
        "exec {params.command} --log {log:q} --source={params.source:q} {params.lists}"
        " --classes {params.class_names:q} --videos {params.videos:q} --table {output.table:q}"
