"""What changes a script's code version, and what a script depends on."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import PROJECT
from video3d.common import code_version as module
from video3d.common.errors import UserError

SCRIPTS = PROJECT / "workflow_scripts"
CONVERSION = "video3d.weights.import_weights"
FINDING = "video3d.fetch.own_videos"


def code_version(script: Path, *without: str) -> str:
    """The version of the files as they are now; what was read of the same text before is used again."""
    return module.code_version.__wrapped__(script, frozenset(without))


@pytest.fixture
def project(tmp_path):
    """A function that writes files below a script with a library; it returns the script."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "script.py"

    write(
        {
            "script.py": "from video3d.one import middle\nfrom video3d.common.console import x\n\nprint(middle)\n",
            "neighbour.py": "x = 1\n",
            "video3d/__init__.py": "",
            "video3d/one/__init__.py": "",
            "video3d/one/middle.py": "import video3d.two.middle\n",
            "video3d/two/__init__.py": "",
            "video3d/two/middle.py": '"""Deep."""\n\n\ndef f():\n    """Old."""\n    return 1\n',
            "video3d/two/other.py": "x = 1\n",
            "video3d/common/__init__.py": "",
            "video3d/common/console.py": "x = 1\n",
        }
    )
    return write


def test_comments_docstrings_and_layout_do_not_count(project):
    before = code_version(project({}))
    deep = '"""Deeper."""\n# why\ndef f():\n    """New."""\n    return (\n        1\n    )\n'
    assert code_version(project({"video3d/two/middle.py": deep})) == before
    assert code_version(project({"video3d/two/middle.py": "def f():\n    return 1\n"})) == before


@pytest.mark.parametrize(
    "statement",
    [
        "import video3d.two.middle",
        "import video3d.two.middle as m",
        "from video3d.two import middle",
        "from video3d.two import other, middle as m",
        "from video3d.two.middle import f",
        "from video3d.two.middle import *",
        "def g():\n    from video3d.two.middle import f",
        "import typing\nif typing.TYPE_CHECKING:\n    from video3d.two.middle import f",
    ],
)
def test_code_counts_however_it_is_imported(project, statement):
    """Both files are called middle.py: the second of one name counts as the first does."""
    before = code_version(project({"video3d/one/middle.py": statement + "\n"}))
    assert code_version(project({"video3d/two/middle.py": "def f():\n    return 2\n"})) != before


@pytest.mark.parametrize(
    "name", ["script.py", "video3d/__init__.py", "video3d/one/__init__.py", "video3d/one/middle.py"]
)
def test_the_script_and_the_packages_on_the_way_count(project, name):
    before = code_version(project({}))
    script = project({})
    (script.parent / name).open("a").write("\nx = 2\n")
    assert code_version(script) != before


def test_descriptions_of_attributes_do_not_count(project):
    one = 'class A:\n    x = 1\n    """One."""\n    y = 2\n    """Two."""\n\n\nz = 3\n"""Three."""\n'
    before = code_version(project({"video3d/two/middle.py": one}))
    assert (
        code_version(project({"video3d/two/middle.py": one.replace("One", "Another").replace("Three", "3")})) == before
    )
    assert code_version(project({"video3d/two/middle.py": one.replace('    """Two."""\n', "")})) == before
    assert code_version(project({"video3d/two/middle.py": one.replace("y = 2", "y = 3")})) != before


def test_code_that_moves_to_another_file_counts(project):
    before = code_version(project({}))
    script = project(
        {"video3d/two/moved.py": "def f():\n    return 1\n", "video3d/one/middle.py": "import video3d.two.moved"}
    )
    assert code_version(script) != before


def test_what_is_not_imported_does_not_count(project):
    before = code_version(project({}))
    assert code_version(project({"video3d/two/other.py": "x = 2\n", "neighbour.py": "x = 2\n"})) == before
    assert code_version(project({"video3d/common/console.py": "x = 2\n"})) == before


def test_a_script_that_is_imported_counts(project):
    before = code_version(project({"script.py": "import neighbour\n"}))
    assert code_version(project({"neighbour.py": "x = 2\n"})) != before


def test_a_text_that_is_no_docstring_counts(project):
    before = code_version(project({"video3d/two/middle.py": "def f():\n    x = 'a'\n    return x\n"}))
    assert code_version(project({"video3d/two/middle.py": "def f():\n    x = 'b'\n    return x\n"})) != before


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("import video3d.gone", "video3d.gone"),
        ("import video3d.two.gone", "video3d.two.gone"),
        ("from video3d import gone", "video3d.gone"),
        ("from video3d.two import middle, gone", "video3d.two.gone"),
        ("from video3d.two.gone import x", "video3d.two.gone"),
        ("from video3d.gone.deeper import x", "video3d.gone"),
        ("from video3d.two.middle.f import x", "video3d.two.middle.f"),
        ("def g():\n    import video3d.gone", "video3d.gone"),
    ],
)
def test_an_import_that_leads_to_no_file_is_named_with_file_and_line(project, statement, missing):
    script = project({"video3d/one/middle.py": f"import os\n{statement}\n"})
    line = 2 + statement.count("\n")
    with pytest.raises(UserError, match=rf"one/middle\.py, line {line}: {re.escape(missing)} is imported, but"):
        code_version(script)


@pytest.mark.parametrize("statement", ["from . import other", "from ..two import middle", "from .other import x"])
def test_a_relative_import_is_named_with_file_and_line(project, statement):
    script = project({"video3d/two/middle.py": f"import os\n{statement}\n"})
    with pytest.raises(UserError, match=r"two/middle\.py, line 2: a relative import"):
        code_version(script)


def test_what_is_left_out_does_not_count_nor_does_what_only_it_imports(project):
    script = project({"video3d/two/middle.py": "import video3d.two.other\n"})
    whole, part = code_version(script), code_version(script, "video3d.two.middle")
    assert whole != part
    assert code_version(project({"video3d/two/other.py": "x = 2\n"}), "video3d.two.middle") == part
    assert code_version(script) != whole
    both = project({"script.py": "import video3d.one.middle, video3d.two.other\n"})
    part = code_version(both, "video3d.two.middle")
    assert code_version(project({"video3d/two/other.py": "x = 3\n"}), "video3d.two.middle") != part


def test_what_is_left_out_must_be_imported(project):
    with pytest.raises(UserError, match=r"script\.py does not import video3d\.two\.gone, video3d\.two\.other"):
        code_version(project({}), "video3d.two.middle", "video3d.two.other", "video3d.two.gone")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("from . import files\n", "TID252"),
        ("from ..common import files\n", "TID252"),
        ("from importlib import import_module\n", "TID251"),
        ("import importlib\n\nimportlib.import_module('x')\n", "TID251"),
    ],
)
def test_ruff_refuses_imports_that_cannot_be_followed(code, rule):
    name = "workflow_scripts/video3d/common/new.py"
    command = [
        Path(sys.executable).with_name("ruff"),
        "check",
        "--output-format",
        "concise",
        "--stdin-filename",
        name,
        "-",
    ]
    checked = subprocess.run(command, input=code, cwd=PROJECT, capture_output=True, text=True)
    assert rule in checked.stdout


# By hand: whose jobs become stale when a line of a file of the library is edited. `train` are all trainings, `tuning`
# only those that start from weights.
STALE = """
__init__.py                      all

clips/clip_reader.py             train tuning evaluate figures predict
clips/loader.py                  train tuning evaluate predict
clips/spatial_crops.py           train tuning check_weights export evaluate figures predict
clips/temporal_sampling.py       train tuning evaluate figures predict

common/bounded_zip.py            train tuning check_weights export
common/cli.py                    compare predict
common/code_version.py
common/console.py
common/data_frames.py            accuracy compare figures overview
common/disk.py
common/documents.py
common/errors.py
common/file_lock.py              all
common/files.py                  all
common/folders.py                predict
common/job.py
common/last_words.py
common/parsed_code.py
common/printable.py              list_videos extract_frames train tuning check_weights export figures overview predict
common/settings.py
common/settings_errors.py
common/settings_renamed.py       compare figures overview
common/settings_types.py
common/stored_zip.py             make_demo_dataset extract_frames train tuning evaluate figures predict
common/tables.py                 all but make_demo_dataset compare make_report
common/versions.py               train tuning check_weights export evaluate figures overview
common/wildcard_paths.py

compute/cpu_convolution.py       train tuning
compute/device.py                train tuning evaluate predict
compute/distributed.py           train tuning
compute/gpu_lock.py              train tuning evaluate predict
compute/gpu_messages.py
compute/interruption.py          train tuning
compute/numpy_convolution.py     train tuning

dataset/audit_table.py           audit make_splits figures overview
dataset/drawn_splits.py          list_videos
dataset/folders.py               list_videos
dataset/own_videos.py            list_videos
dataset/safe_names.py            all but make_demo_dataset extract_frames accuracy compare make_report
dataset/split_table.py           make_splits export_lists train tuning check_weights export evaluate figures predict
dataset/splits.py                make_splits
dataset/table_of_videos.py       list_videos
dataset/ucf101.py                list_videos figures overview
dataset/video_files.py           list_videos extract_frames
dataset/video_table.py           list_videos audit make_splits accuracy figures overview

device_check/advice.py
device_check/correctness.py
device_check/golden.py
device_check/rows.py
device_check/speed.py

evaluation/engines.py            evaluate predict
evaluation/exported_model.py     export evaluate predict
evaluation/intervals.py          evaluate accuracy compare figures overview
evaluation/metrics.py            evaluate accuracy compare figures overview
evaluation/model_description.py  check_weights export
evaluation/model_metadata.py     check_weights export evaluate compare figures overview predict
evaluation/predictor.py          evaluate predict
evaluation/protocols.py          evaluate figures predict
evaluation/tensorrt.py           evaluate predict

fetch/archive_members.py
fetch/archives.py
fetch/class_names.py
fetch/download.py
fetch/http_session.py
fetch/lists.py
fetch/own_videos.py
fetch/rar_archive.py
fetch/remote_zip.py
fetch/sources.py
fetch/unpacked.py

frames/extraction.py             extract_frames predict
frames/ffmpeg.py                 extract_frames figures overview predict
frames/frame_encoder.py          extract_frames predict
frames/frame_pack.py             extract_frames train tuning evaluate figures predict
frames/manifests.py              train tuning check_weights
frames/video_status.py           extract_frames predict
frames/videos_version.py         extract_frames

model/architecture.py            train tuning check_weights export
model/layer_costs.py             train tuning
model/normalised_model.py        train tuning export evaluate predict
model/resnet3d.py                train tuning check_weights export

preflight/bound_run.py
preflight/compared_runs.py
preflight/evaluated_weights.py
preflight/other_runs.py
preflight/check_device.py
preflight/check_files.py
preflight/check_lists.py
preflight/plan.py
preflight/run_lock.py
preflight/snakemake_notes.py

report/analysis.py               compare figures overview
report/captions.py               figures
report/chart_style.py            figures overview
report/charts.py                 figures
report/class_details.py          figures
report/clip_sprites.py           figures
report/conclusions.py            figures
report/confusion_chart.py        figures
report/contact_sheets.py         figures
report/content.py                figures
report/headline.py               figures overview
report/html_page.py              figures overview
report/model_card.py             figures
report/notices.py                figures overview
report/overview.py               overview
report/overview_chart.py         overview
report/pages.py                  figures
report/paired_comparison.py      compare figures overview
report/paper_figures.py          figures
report/prediction_charts.py      figures
report/provenance.py             figures overview
report/published.py              figures overview
report/results.py                compare figures overview
report/run_files.py              compare figures overview
report/stage_times.py            figures overview
report/tables.py                 figures
report/training_charts.py        figures

training/attempts.py             train tuning
training/augmentation.py         train tuning
training/batches.py              train tuning
training/checkpoint.py           train tuning
training/checkpoint_lock.py      train tuning
training/ema.py                  train tuning
training/freezing.py             train tuning
training/loop.py                 train tuning
training/lr_schedule.py          train tuning
training/mixup.py                train tuning
training/optimizer.py            train tuning
training/progress_log.py         train tuning
training/randomness.py           train tuning
training/requirements.py         train tuning
training/start.py                train tuning
training/trainer.py              train tuning

weights/description.py           train tuning check_weights export
weights/description_schema.py
weights/import_weights.py        tuning check_weights export
weights/paddle_reader.py         tuning check_weights export
weights/pdparams.py              train tuning check_weights export
weights/pickle_reader.py         tuning check_weights export
weights/pickled.py               tuning check_weights export
weights/safetensors_reader.py    tuning check_weights export
weights/stored_numbers.py        tuning check_weights export
weights/torch_reader.py          tuning check_weights export
weights/training_data.py         train tuning check_weights
"""
VERSIONED = {
    "make_demo_dataset", "extract_frames", "list_videos", "audit", "make_splits", "export_lists", "train",
    "check_weights", "export", "evaluate", "accuracy", "compare", "figures", "make_report", "overview", "predict",
}  # fmt: skip
FETCHED_ONCE = {"download_videos", "download_splits", "unpack"}  # what they made stays, whatever becomes of their code


def stale_by_hand() -> dict[str, set[str]]:
    """The table above, with the words `all` and `all but` carried out."""
    every = VERSIONED | {"tuning"}
    table = {}
    for name, *words in (line.split() for line in STALE.splitlines() if line):
        match words:
            case ["all", "but", *exceptions]:
                assert set(exceptions) < every
                table[name] = every - set(exceptions)
            case ["all"]:
                table[name] = every
            case _:
                assert set(words) < every
                table[name] = set(words)
    return table


def versions(scripts: Path) -> dict[str, str]:
    """The code version of every script that has one, as the rules ask for it."""
    of_scripts = {name: code_version(scripts / f"{name}.py") for name in VERSIONED - {"train", "list_videos"}}
    train, listing = scripts / "train.py", code_version(scripts / "list_videos.py", FINDING)
    return of_scripts | {
        "train": code_version(train, CONVERSION),
        "tuning": code_version(train),
        "list_videos": listing,
    }


def test_an_edit_of_each_file_of_the_library_concerns_those_that_the_table_names(tmp_path):
    scripts = tmp_path / "workflow_scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    before, found = versions(scripts), {}
    for path in sorted((scripts / "video3d").rglob("*.py")):
        text = path.read_text()
        path.write_text(text + "\nEDITED = 1\n")
        now = versions(scripts)
        found[path.relative_to(scripts / "video3d").as_posix()] = {name for name in now if now[name] != before[name]}
        path.write_text(text)
    assert versions(scripts) == before
    packages = {name: found.pop(name) for name in sorted(found) if re.fullmatch(r"\w+/__init__\.py", name)}
    assert found == stale_by_hand()
    for name, stale in packages.items():  # a package concerns those that use a file of it, or one that is silent
        assert stale >= set().union(*(found[file] for file in found if Path(file).parent == Path(name).parent))


def test_every_script_of_a_rule_has_a_code_version_or_is_known_to_need_none():
    rules = "".join(path.read_text() for path in sorted((PROJECT / "rules").glob("*.smk")))
    assert set(re.findall(r'code_version\(\s*"(\w+)"', rules)) == VERSIONED
    assert set(re.findall(r'command\(\s*"(\w+)"', rules)) == VERSIONED | FETCHED_ONCE
    assert re.findall(r'"(video3d\.[\w.]+)"', rules) == [FINDING, CONVERSION]


def test_packages_are_empty():
    """A re-export would tie every script to every module, and an edit of anything would retrain everything."""
    packages = list((SCRIPTS / "video3d").glob("*/__init__.py"))
    assert packages and not any(path.read_text() for path in packages)
