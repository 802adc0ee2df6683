rule evaluate:
    """Predict every test video of one split with the exported model, by one protocol, and score the predictions."""
    input:
        program=rules.export.output.program,
        parameters=rules.export.output.parameters,
        metadata=rules.export.output.metadata,
        split_table="results/<run>/splits/split{split}.csv",
        manifests=rules.train.input.manifests,
        packs=rules.train.input.packs,
    output:
        predictions="results/<run>/split{split}/seed{seed}/{protocol}/predictions.csv",
        probabilities="results/<run>/split{split}/seed{seed}/{protocol}/probabilities.npz",
        metrics="results/<run>/split{split}/seed{seed}/{protocol}/metrics.json",
    log:
        "logs/evaluate/<run>/split{split}_seed{seed}_{protocol}.log",
    benchmark:
        "benchmarks/evaluate/<run>/split{split}_seed{seed}_{protocol}.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        gpu=gpus_to_predict,
        mem_mb=4000,
    params:
        command=command("evaluate"),
        settings=evaluation_settings,
        code=code_version("evaluate"),
        model=subpath(input.program, parent=True),
        frames=frames_folder,
        device=untracked_device,
    shell:
        "exec {params.command} --log {log:q} --model {params.model:q} --split-table {input.split_table:q}"
        " --frames {params.frames:q} --protocol {wildcards.protocol} --settings {params.settings:q}"
        " --device {params.device} --threads {threads} --predictions {output.predictions:q}"
        " --probabilities {output.probabilities:q} --metrics {output.metrics:q}"


rule accuracy:
    """Collect the scores of every split, seed and protocol, and their means with intervals."""
    input:
        predictions=each_evaluation("predictions.csv"),
        metrics=each_evaluation("metrics.json"),
        videos="data/<dataset>/videos.csv",
        warned=warn_of_changed_evaluations,
    output:
        table="results/<run>/accuracy.csv",
        settings="results/<run>/config.yaml",
    log:
        "logs/accuracy/<run>.log",
    benchmark:
        "benchmarks/accuracy/<run>.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("accuracy"),
        code=code_version("accuracy"),
        settings=untracked_settings,
    shell:
        "exec {params.command} --log {log:q} --metrics {input.metrics:q} --videos {input.videos:q}"
        " --settings {params.settings:q} --kept-settings {output.settings:q} --output {output.table:q}"


rule compare:
    """Compare two runs on the same videos; it reads what they left in results/ and makes neither of them."""
    output:
        "results/{run}/compare_{other}.csv",
    log:
        "logs/compare/{run}/{other}.log",
    benchmark:
        "benchmarks/compare/{run}/{other}.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("compare"),
        code=code_version("compare"),
        answers=compared_answers,
        run=subpath(output[0], parent=True),
        other=lambda wildcards, output: Path(output[0]).parents[1] / wildcards.other,
    shell:
        "exec {params.command} --log {log:q} {params.other:q} {params.run:q} --csv --output {output:q}"
