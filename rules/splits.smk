rule make_splits:
    """Write the table of one split: every usable video with its class, label, group and subset."""
    input:
        lists="resources/<dataset>/ucfTrainTestlist",
        audit="data/<dataset>/audit.csv",
    output:
        "data/<dataset>/splits/split{split}.csv",
    log:
        "logs/make_splits/<dataset>/split{split}.log",
    benchmark:
        "benchmarks/make_splits/<dataset>/split{split}.tsv"
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
        " --settings {params.settings:q} --output {output:q} 2>&1 | tee {log:q}"
