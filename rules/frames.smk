rule extract_frames:
    """Decode the videos of one class into one stored ZIP of JPEG frames, with a table of what came out."""
    input:
        after_unpacking,
    output:
        pack="<frames>/{class_name}.zip",
        manifest="<frames>/{class_name}.csv",
    log:
        "logs/extract_frames/<dataset>/{class_name}.log",
    benchmark:
        "benchmarks/extract_frames/<dataset>/{class_name}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
    params:
        command=command("extract_frames"),
        videos=lambda wildcards: videos_folder(wildcards.class_name),
        version=version_of_videos,
        settings=section("frames"),
        code=code_version("extract_frames"),
    shell:
        "exec {params.command} --log {log:q} --videos {params.videos:q} --videos-version {params.version}"
        " --settings {params.settings:q} --threads {threads} --pack {output.pack:q} --manifest {output.manifest:q}"


rule audit:
    """Compare the decoded videos with those of the data set: every listed one is ok, or named with what is wrong."""
    input:
        videos="data/<dataset>/videos.csv",
        manifests=expand("<frames>/{class_name}.csv", class_name=PACKS),
        bound=tables_are_bound,
    output:
        audit="results/<run>/audit.csv",
    log:
        "logs/audit/<run>.log",
    benchmark:
        "benchmarks/audit/<run>.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=500,
    params:
        command=command("audit"),
        frames=frames_folder,
        class_names=literal(CLASS_NAMES),
        settings=section("clip.frames"),
        code=code_version("audit"),
    shell:
        "exec {params.command} --log {log:q} --videos {input.videos:q} --frames {params.frames:q}"
        " --classes {params.class_names:q} --settings {params.settings:q} --output {output.audit:q}"
