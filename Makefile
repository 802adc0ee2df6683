# make demo   the whole workflow on the embedded data set, ending with results/demo/report.html
# make install  the software, in .venv
# make test   every test
# make faults  broken machines and hostile files: kills, full disks, other namespaces; takes long, ends with a table
# make lint   style of the Python and Snakemake code, and that imports go down only
# make docs   the pages that are made from the code (docs/settings.md, the schema for editors, the graphs), and all as a site
# make picture  the pictures in the README, from the run of the demo
# make bench  speed, as ratios against stated references
# make check  whether this device computes right, how fast it is, what to set; writes check.json
# make rehearsal  what the workflow costs on an archive like UCF101's, with VIDEOS=13320 as large
# make lock   renew the lock files after an edit of envs/*.in
# make clean  remove what make made, but no data and no results

PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake
VIDEOS := 404
# Real clips for the measurements, if there are any; else they make their own.
CLIPS := $(addprefix --videos ,$(firstword $(wildcard $(UCF101_MINI)/UCF-101 ../shared/data/ucf101-mini/UCF-101)))
SHELL := /bin/bash

.PHONY: demo install test faults lint docs picture bench check rehearsal lock clean
.DELETE_ON_ERROR:

demo: .venv/cpu.installed
	$(SNAKEMAKE) demo
	@echo "The report is results/demo/report.html, the table of accuracies results/demo/accuracy.csv"

install: .venv/cpu.installed

test: .venv/dev.installed
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

faults: .venv/dev.installed
	$(BIN)/python -m pytest tests/faults -m "faults or not faults" --numprocesses 2 --dist worksteal

lint: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	PYTHONPATH=workflow_scripts $(BIN)/lint-imports --no-logo --no-cache
	$(SNAKEMAKE) --lint

docs: .venv/dev.installed
	PYTHONPATH=workflow_scripts $(BIN)/python tools/architecture.py README.md docs/architecture.md
	PYTHONPATH=workflow_scripts $(BIN)/python tools/settings_reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/uv run --no-project --isolated --with-requirements envs/docs.lock mkdocs build --quiet
	@echo "The site is in site/"

picture: .venv/dev.installed demo
	PYTHONPATH=tests $(BIN)/python tools/picture.py results/demo/report.html docs/report.png
	PYTHONPATH=workflow_scripts $(BIN)/python tools/moving_picture.py results/demo docs/demo.webp

bench: .venv/dev.installed
	$(BIN)/uv pip install --python $(BIN)/python --quiet --requirement bench/requirements.txt
	$(BIN)/python bench/extraction.py $(CLIPS)
	$(BIN)/python bench/loader.py $(CLIPS)
	$(BIN)/python bench/training.py
	$(BIN)/python bench/evaluation.py

check: .venv/cpu.installed
	$(BIN)/python workflow_scripts/check.py

rehearsal: .venv/dev.installed
	PYTHONPATH=workflow_scripts $(BIN)/python tools/rehearsal.py --count $(VIDEOS) $(CLIPS)

# A hash-locked installer first: it installs the rest about seven times faster than pip does.
$(BIN)/uv: envs/installer.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "error: $(PYTHON) is $$($(PYTHON) --version 2>&1), but 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement envs/installer.lock
	@touch $@

.venv/%.installed: envs/%.lock $(BIN)/uv
	$(BIN)/uv pip install --python $(BIN)/python --quiet --require-hashes --compile-bytecode --requirement $<
	@touch $@

lock: $(BIN)/uv
	for name in installer cpu slurm dev docs; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" $$( [[ $$name = @(slurm|dev) ]] && echo --constraint envs/cpu.lock ) \
	    envs/$$name.in --output-file envs/$$name.lock || exit 1; done

clean:
	rm -rf .venv .pytest_cache .ruff_cache site
