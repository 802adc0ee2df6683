rule make_splits:
    """Write the table of one split: every usable video with its class, label, group and subset."""
    input:
        lists="resources/<dataset>/ucfTrainTestlist",
        audit="results/<run>/audit.csv",
        bound=tables_are_bound,
    output:
        split_table="results/<run>/splits/split{split}.csv",
        left_out="results/<run>/splits/split{split}_left_out.csv",
    log:
        "logs/make_splits/<run>/split{split}.log",
    benchmark:
        "benchmarks/make_splits/<run>/split{split}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        settings=section("dataset.classes", "dataset.faulty_videos", "validation_groups"),
        code=code_version("make_splits"),
    shell:
        "python workflow_scripts/make_splits.py --lists {input.lists:q} --audit {input.audit:q} --split {wildcards.split}"
        " --settings {params.settings:q} --output {output.split_table:q} --left-out {output.left_out:q} 2>&1 | tee {log:q}"


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
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code_version("export_lists"),
    shell:
        "python workflow_scripts/export_lists.py --split-table {input.split_tables:q} --output {output.lists:q} 2>&1 | tee {log:q}"
