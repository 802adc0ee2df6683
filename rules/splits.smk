rule list_videos:
    """Write the table of the data set: its videos with their class, group, and subset in each split."""
    input:
        # A copy of a folder has other times, and Snakemake compares no contents of folders: the checksums stand for them.
        checksums="resources/<dataset>/ucfTrainTestlist.sha256" if HAS_LISTS else [],
        lists=ancient("resources/<dataset>/ucfTrainTestlist") if HAS_LISTS else [],
        source=exact_inputs(own_archive()),
        bound=tables_are_bound,
    output:
        "data/<dataset>/videos.csv",
    log:
        "logs/list_videos/<dataset>.log",
    benchmark:
        "benchmarks/list_videos/<dataset>.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("list_videos"),
        origin=untracked_origin,
        drawing=drawing(),
        names=version_of_own_names,
        # Finding files computes nothing: which were found is a parameter.
        code=code_version("list_videos", without=["video3d.fetch.own_videos"]),
    shell:
        "exec {params.command} --log {log:q} {params.origin} {params.drawing} --output {output:q}"


rule make_splits:
    """Write the table of one split: every usable video with its class, label, group and subset."""
    input:
        videos="data/<dataset>/videos.csv",
        audit="results/<run>/audit.csv",
        bound=tables_are_bound,
    output:
        split_table="results/<run>/splits/split{split}.csv",
        left_out="results/<run>/splits/split{split}_left_out.csv",
    log:
        "logs/make_splits/<run>/split{split}.log",
    benchmark:
        "benchmarks/make_splits/<run>/split{split}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("make_splits"),
        class_names=literal(CLASS_NAMES),
        settings=section("dataset.faulty_videos", "validation_groups"),
        code=code_version("make_splits"),
    shell:
        "exec {params.command} --log {log:q} --videos {input.videos:q} --classes {params.class_names:q}"
        " --audit {input.audit:q} --split {wildcards.split} --settings {params.settings:q}"
        " --output {output.split_table:q} --left-out {output.left_out:q}"


rule export_lists:
    """Write the splits as the annotation lists of PaddleVideo and mmaction2; run by name only."""
    input:
        split_tables=expand("results/<run>/splits/split{split}.csv", split=SPLITS),
    output:
        lists=directory("results/<run>/annotations"),
    log:
        "logs/export_lists/<run>.log",
    benchmark:
        "benchmarks/export_lists/<run>.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("export_lists"),
        code=code_version("export_lists"),
    shell:
        "exec {params.command} --log {log:q} --split-table {input.split_tables:q} --output {output.lists:q}"
