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
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=1000,
    params:
        folder=subpath(output.videos, parent=True),
        code=code_version("make_demo_dataset"),
    shell:
        "python workflow_scripts/make_demo_dataset.py --output {params.folder:q} 2>&1 | tee {log:q}"


rule download_videos:
    """Fetch the archive of videos, or link to a local one, and check its SHA-256."""
    input:
        lambda wildcards: as_inputs(VIDEOS.local_files()),
    output:
        videos_archive(),
    log:
        "logs/download_videos/<dataset>.log",
    benchmark:
        "benchmarks/download_videos/<dataset>.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        sources=option_values(SETTINGS.dataset.videos),
        local=lambda wildcards: as_parameter(VIDEOS.local_files()),
        sha256=option("--sha256", [SETTINGS.dataset.videos_sha256]),
        classes=option("--classes", VIDEOS.classes),
    shell:
        "python workflow_scripts/download_videos.py --source {params.sources:q} {params.sha256}"
        " {params.classes} --output {output:q} 2>&1 | tee {log:q}"


rule download_splits:
    """Fetch the official train and test lists, and check their SHA-256."""
    input:
        lambda wildcards: as_inputs(LISTS.local_files()),
    output:
        lists=directory("resources/<dataset>/ucfTrainTestlist"),
    log:
        "logs/download_splits/<dataset>.log",
    benchmark:
        "benchmarks/download_splits/<dataset>.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        sources=option_values(SETTINGS.dataset.lists),
        local=lambda wildcards: as_parameter(LISTS.local_files()),
        sha256=option("--sha256", [SETTINGS.dataset.lists_sha256]),
    shell:
        "python workflow_scripts/download_splits.py --source {params.sources:q} {params.sha256}"
        " --output {output.lists:q} 2>&1 | tee {log:q}"


checkpoint unpack:
    """Add the videos of the wanted classes to data/<dataset>/videos; those of a folder are linked, not copied.

    Nothing is replaced or deleted, so runs with other classes can share the data set. The inputs must not be
    `ancient()`: Snakemake would take a job whose ancient input is made in the same call for done (docs/snakemake.md).
    """
    input:
        source=as_inputs([unpack_source()]),
        lists=rules.download_splits.output.lists,
    output:
        table=unpacked_table(),
    log:
        "logs/unpack/<dataset>.log",
    benchmark:
        "benchmarks/unpack/<dataset>.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        source=literal(unpack_source()),
        class_names=CLASS_NAMES,
        videos=literal(videos_folder()),
    shell:
        "python workflow_scripts/unpack.py --source={params.source:q} --lists {input.lists:q}"
        " --classes {params.class_names:q} --videos {params.videos:q} --table {output.table:q} 2>&1 | tee {log:q}"
