rule train:
    """Train the network on one split with one seed; a killed training goes on from its last checkpoint."""
    input:
        split_table="results/<run>/splits/split{split}.csv",
        # The tables hold the content of every video, so packs that are written anew with the same frames start no training.
        manifests=expand("<frames>/{class_name}.csv", class_name=PACKS),
        packs=ancient(expand("<frames>/{class_name}.zip", class_name=PACKS)),
        start=lambda wildcards: exact_inputs(with_description(SETTINGS.train.weights)),
        bound=trainings_are_bound,
    output:
        weights="results/<run>/split{split}/seed{seed}/weights.pdparams",
        metadata="results/<run>/split{split}/seed{seed}/weights.json",
        history="results/<run>/split{split}/seed{seed}/history.csv",
    log:
        "logs/train/<run>/split{split}_seed{seed}.log",
    benchmark:
        "benchmarks/train/<run>/split{split}_seed{seed}.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        gpu=gpus_to_train,
        mem_mb=8000,
    params:
        command=command("train"),
        settings=section("model", "clip", "train"),
        start=lambda wildcards: as_parameter(with_description(SETTINGS.train.weights)),
        # The conversion of weights cannot change a training that starts from none.
        code=code_version("train", without=[] if SETTINGS.train.weights else ["video3d.weights.import_weights"]),
        frames=frames_folder,
        results=subpath(output.weights, parent=True),
        record=untracked_record,
        allow_leak=untracked_permission,
        trainings=untracked_trainings,
        device=untracked_device,
    shell:
        # The checkpoints are no output: Snakemake would delete them when a job is killed.
        "exec {params.command} --log {log:q} --settings {params.settings:q} --split-table {input.split_table:q}"
        " --frames {params.frames:q} --seed {wildcards.seed} --device {params.device} --threads {threads}"
        " --checkpoints {params.results:q}/checkpoints --code {params.code} --record {params.record:q}"
        " {params.allow_leak} --trainings {params.trainings:q} --weights {output.weights:q} --history {output.history:q}"


rule check_weights:
    """Find out whether the weights to be evaluated fit, and which test videos they were trained on.

    A rule of its own, as Snakemake removes the outputs of a job before it starts: weights that are refused here leave
    the exported model and its evaluation as they are.
    """
    input:
        weights=weights_inputs,
        split_table="results/<run>/splits/split{split}.csv",
        manifests=expand("<frames>/{class_name}.csv", class_name=PACKS),
    output:
        origin="results/<run>/split{split}/seed{seed}/origins/{mark}.json",
    log:
        "logs/check_weights/<run>/split{split}_seed{seed}_{mark}.log",
    benchmark:
        "benchmarks/check_weights/<run>/split{split}_seed{seed}_{mark}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
    params:
        command=command("check_weights"),
        settings=section("model", "clip", "frames", "train.sampling", "evaluate.allow_leak"),
        weights=weights_path,
        given=lambda wildcards: as_parameter(given_weight_files(wildcards)),
        replacement=replacement,
        purpose=lambda wildcards: "--given" if wildcards.split in SETTINGS.evaluate.weights else "",
        frames=frames_folder,
        code=code_version("check_weights"),
    shell:
        "exec {params.command} --log {log:q} --weights={params.weights:q} {params.purpose}"
        " --split-table {input.split_table:q} --frames {params.frames:q} --settings {params.settings:q}"
        " --replacement={params.replacement:q} --output {output.origin:q}"


rule export:
    """Turn weights into the inference model that is evaluated and shipped."""
    input:
        weights=weights_inputs,
        origin=origin_path,
        split_table="results/<run>/splits/split{split}.csv",
    output:
        program="results/<run>/split{split}/seed{seed}/model/model.json",
        parameters="results/<run>/split{split}/seed{seed}/model/model.pdiparams",
        metadata="results/<run>/split{split}/seed{seed}/model/metadata.json",
    log:
        "logs/export/<run>/split{split}_seed{seed}.log",
    benchmark:
        "benchmarks/export/<run>/split{split}_seed{seed}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
    params:
        command=command("export"),
        settings=section("model", "clip", "frames", "train.sampling"),
        weights=weights_path,
        given=lambda wildcards: as_parameter(given_weight_files(wildcards)),
        model=subpath(output.program, parent=True),
        code=code_version("export"),
    shell:
        "exec {params.command} --log {log:q} --weights={params.weights:q} --settings {params.settings:q}"
        " --origin {input.origin:q} --split-table {input.split_table:q} --output {params.model:q}"
