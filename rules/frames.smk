rule extract_frames:
    """Decode the videos of one class into one stored ZIP of JPEG frames, with a table of what came out."""
    input:
        videos_of_class,
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
        settings=section("frames"),
        code=code_version("extract_frames"),
    shell:
        "exec {params.command} --log {log:q} --videos {params.videos:q} --settings {params.settings:q}"
        " --threads {threads} --pack {output.pack:q} --manifest {output.manifest:q}"


rule audit:
    """Compare the decoded videos with the official lists: every listed video is ok, or named with what is wrong."""
    input:
        lists="resources/<dataset>/ucfTrainTestlist",
        manifests=expand("<frames>/{class_name}.csv", class_name=CLASS_NAMES),
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
        class_names=CLASS_NAMES,
        settings=section("clip.frames"),
        code=code_version("audit"),
    shell:
        "exec {params.command} --log {log:q} --lists {input.lists:q} --frames {params.frames:q}"
        " --classes {params.class_names:q} --settings {params.settings:q} --output {output.audit:q}"
