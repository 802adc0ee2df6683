rule predict:
    """Name the action in every video of the folder `predict: videos:`; run by name: snakemake predict."""
    input:
        program=model_of_prediction("model.json"),
        parameters=model_of_prediction("model.pdiparams"),
        metadata=model_of_prediction("metadata.json"),
        videos=lambda wildcards: exact_inputs(videos_to_predict(wildcards)),
    output:
        "results/<run>/predictions.csv",
    log:
        "logs/predict/<run>.log",
    benchmark:
        "benchmarks/predict/<run>.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        gpu=gpus_to_predict,
        mem_mb=4000,
    params:
        command=command("predict"),
        settings=section("evaluate.batch_size", "evaluate.engine"),
        code=code_version("predict"),
        model=subpath(input.program, parent=True),
        folder=literal(str(Path(SETTINGS.predict.videos or "").expanduser())),
        videos=lambda wildcards: as_parameter(videos_to_predict(wildcards)),
        device=untracked_device,
    shell:
        "exec {params.command} --log {log:q} --model {params.model:q} --settings {params.settings:q}"
        " --device {params.device} --threads {threads} --csv --output {output:q} -- {params.folder:q}"
