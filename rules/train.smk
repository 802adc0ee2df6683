rule train:
    """Train the network on one split with one seed; a killed training goes on from its last checkpoint."""
    input:
        clips="data/<dataset>/splits/split{split}.csv",
        # The tables hold the content of every video, so packs that are written anew with the same frames train nothing.
        manifests=expand("data/<dataset>/frames/{action}.csv", action=ACTIONS),
        packs=ancient(expand("data/<dataset>/frames/{action}.zip", action=ACTIONS)),
        start=lambda wildcards: as_inputs(with_description(config["train"]["weights"])),
    output:
        weights="results/<run>/split{split}/seed{seed}/weights.pdparams",
        metadata="results/<run>/split{split}/seed{seed}/weights.json",
        history="results/<run>/split{split}/seed{seed}/history.csv",
    log:
        "logs/train/<run>/split{split}_seed{seed}.log",
    benchmark:
        "benchmarks/train/<run>/split{split}_seed{seed}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=8000,
    params:
        settings=section("model", "clip", "train"),
        start=lambda wildcards: as_parameter(with_description(config["train"]["weights"])),
        code=code.training_version(config["train"]["weights"]),
        frames=frames_folder,
        results=subpath(output.weights, parent=True),
        device=untracked_device,
    shell:
        # The checkpoints are no output: Snakemake would delete them when a job is killed.
        "python workflow_scripts/train.py --settings {params.settings:q} --clips {input.clips:q}"
        " --frames {params.frames:q} --seed {wildcards.seed} --device {params.device} --threads {threads}"
        " --checkpoints {params.results:q}/checkpoints --code {params.code}"
        " --weights {output.weights:q} --history {output.history:q} 2>&1 | tee {log:q}"


rule export:
    """Turn weights into the inference model that is evaluated and shipped."""
    input:
        weights=lambda wildcards: as_inputs(given_weights(wildcards) or [weights_of(wildcards)]),
    output:
        program="results/<run>/split{split}/seed{seed}/model/model.json",
        parameters="results/<run>/split{split}/seed{seed}/model/model.pdiparams",
        metadata="results/<run>/split{split}/seed{seed}/model/metadata.json",
    log:
        "logs/export/<run>/split{split}_seed{seed}.log",
    benchmark:
        "benchmarks/export/<run>/split{split}_seed{seed}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        settings=section("model", "clip", "frames", "train.sampling"),
        classes=ACTIONS,
        weights=weights_of,
        given=lambda wildcards: as_parameter(given_weights(wildcards)),
        model=subpath(output.program, parent=True),
        code=code_version("export"),
    shell:
        "python workflow_scripts/export.py --weights={params.weights:q} --settings {params.settings:q}"
        " --classes {params.classes:q} --output {params.model:q} 2>&1 | tee {log:q}"
