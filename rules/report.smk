rule figures:
    """Draw everything that the report shows, the figures for a paper, and write a card for each exported model."""
    input:
        accuracy="results/<run>/accuracy.csv",
        predictions=each_evaluation("predictions.csv"),
        histories=each_training("history.csv"),
        weights=each_training("weights.json"),
        compared=expand("results/{other}/accuracy.csv", other=SETTINGS.report.compare),
        models=expand("results/<run>/split{split}/seed{seed}/model/metadata.json", split=SPLITS, seed=SEEDS),
        audit="results/<run>/audit.csv",
        split_tables=expand("results/<run>/splits/split{split}.csv", split=SPLITS),
        packs=ancient(expand("<frames>/{class_name}.zip", class_name=PACKS)),
    output:
        landing="results/<run>/figures/landing.html",
        facts="results/<run>/figures/facts.rst",
        page="results/<run>/figures/report.html",
        clips="results/<run>/figures/clips.html",
        paper=expand(
            "results/<run>/figures/paper/{figure}.pdf",
            figure=[
                "accuracy_85mm",
                "accuracy_175mm",
                "calibration_85mm",
                "calibration_175mm",
                "groups_and_lengths_85mm",
                "groups_and_lengths_175mm",
                "learning_curves_175mm",
                "class_accuracy_175mm",
                "confusion_175mm",
            ],
        ),
        # The export replaces their folders, so a model that is exported anew has none until it is evaluated.
        cards=expand("results/<run>/split{split}/seed{seed}/model/README.md", split=SPLITS, seed=SEEDS),
        accuracy=report(
            "results/<run>/figures/accuracy.svg",
            caption="../report/accuracy.rst",
            category="Figures",
            labels={"figure": "1 accuracy by split"},
        ),
        learning_curves=report(
            "results/<run>/figures/learning_curves.svg",
            caption="../report/learning_curves.rst",
            category="Figures",
            labels={"figure": "2 learning curves"},
        ),
        calibration=report(
            "results/<run>/figures/calibration.svg",
            caption="../report/calibration.rst",
            category="Figures",
            labels={"figure": "3 calibration"},
        ),
        class_accuracy=report(
            "results/<run>/figures/class_accuracy.svg",
            caption="../report/class_accuracy.rst",
            category="Figures",
            labels={"figure": "4 accuracy of every class"},
        ),
        confusion=report(
            "results/<run>/figures/confusion.svg",
            caption="../report/confusion.rst",
            category="Figures",
            labels={"figure": "5 confusion matrix"},
        ),
        groups_and_lengths=report(
            "results/<run>/figures/groups_and_lengths.svg",
            caption="../report/groups_and_lengths.rst",
            category="Figures",
            labels={"figure": "6 accuracy by group and length"},
        ),
        cost=report(
            "results/<run>/figures/cost.svg",
            caption="../report/cost.rst",
            category="Figures",
            labels={"figure": "7 cost"},
        ),
        confused_pairs=report(
            "results/<run>/figures/confused_pairs.svg",
            caption="../report/confused_pairs.rst",
            category="Figures",
            labels={"figure": "8 pictures of the most confused pairs"},
        ),
        mistakes=report(
            "results/<run>/figures/mistakes.svg",
            caption="../report/mistakes.rst",
            category="Figures",
            labels={"figure": "9 pictures of the most confident mistakes"},
        ),
        class_accuracy_table=report(
            "results/<run>/figures/class_accuracy.csv",
            caption="../report/tables.rst",
            category="Tables",
            labels={"figure": "accuracy of every class"},
        ),
        confused_pairs_table=report(
            "results/<run>/figures/confused_pairs.csv",
            caption="../report/tables.rst",
            category="Tables",
            labels={"figure": "confused pairs"},
        ),
        mistakes_table=report(
            "results/<run>/figures/mistakes.csv",
            caption="../report/tables.rst",
            category="Tables",
            labels={"figure": "all mistakes"},
        ),
    log:
        "logs/figures/<run>.log",
    benchmark:
        "benchmarks/figures/<run>.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
    params:
        command=command("figures"),
        settings=section(*(name for name, _ in SETTINGS if name not in {"device", "replace"})),
        code=code_version("figures"),
        captions=folder_version("report"),
        templates=folder_version("workflow_scripts/video3d/report/templates"),
        run=subpath(input.accuracy, parent=True),
        frames=lambda wildcards, input: Path(input.packs[0]).parent,
        figures=subpath(output.page, parent=True),
        benchmarks=literal(str(ROOT / "benchmarks")),
    shell:
        "exec {params.command} --log {log:q} --run {params.run:q} --frames {params.frames:q}"
        " --benchmarks {params.benchmarks:q}"
        " --settings {params.settings:q} --output {params.figures:q}"


if not IS_MODULE:  # the report of another workflow is its own affair: it holds these figures, too

    rule report:
        """Put everything on one page, as `snakemake --report` does; run by name: snakemake report."""
        input:
            figures=rules.figures.output,
            settings="results/<run>/config.yaml",
        output:
            "results/<run>/report.html",
        log:
            "logs/report/<run>.log",
        benchmark:
            "benchmarks/report/<run>.tsv"
        localrule: True
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=1000,
        params:
            # It calls Snakemake, which an environment of conda's lacks.
            command=command("make_report", python=sys.executable),
            code=code_version("make_report"),
            captions=folder_version("report"),
            settings=untracked_settings,
            snakefile=lambda wildcards, threads: workflow.main_snakefile,
        shell:
            "exec {params.command} --log {log:q} --snakefile {params.snakefile:q} --settings {params.settings:q}"
            " --output {output:q}"

    rule demo:
        """Make the report of the embedded data set; the name takes the recipe of the same name, whatever the settings."""
        input:
            "results/<run>/report.html",
        localrule: True


rule overview:
    """Show all runs of results/ beside each other; it reads what they left and makes none of them."""
    output:
        page="results/overview.html",
        table="results/overview.csv",
    log:
        "logs/overview.log",
    benchmark:
        "benchmarks/overview.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
    params:
        command=command("overview"),
        code=code_version("overview"),
        templates=folder_version("workflow_scripts/video3d/report/templates"),
        runs=runs_that_are_there,
        results=subpath(output.page, parent=True),
    shell:
        "exec {params.command} --log {log:q} {params.results:q} --page {output.page:q} --table {output.table:q}"
