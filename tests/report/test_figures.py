"""The files that figures.py writes, without a browser."""

import html
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
import yaml

import compare
import figures
from helpers.paths import PROJECT
from helpers.script_call import call
from helpers.simulated import draw_figures, simulate
from video3d.report import captions, html_page, paired_comparison, provenance
from video3d.report.results import read_run

NETWORK = {"depth": 18, "shortcut": "reference", "width": 64, "cardinality": 1, "dropout": 0.0}
CLIP = {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "input": "rgb"}
RULE = (PROJECT / "rules" / "report.smk").read_text().partition("rule overview:")[0]
OUTPUTS = re.findall(r'"results/<run>/figures/([\w.]+)"', RULE)
PAPER = re.findall(r'"(\w+_\d+mm)"', RULE)


def test_writes_exactly_what_the_rule_declares(full_size: Path) -> None:
    assert sorted(path.name for path in full_size.iterdir() if path.is_file()) == sorted(OUTPUTS)
    assert sorted(path.name for path in (full_size / "paper").iterdir()) == sorted(f"{name}.pdf" for name in PAPER)


def test_an_edit_of_a_caption_or_a_template_draws_anew() -> None:
    for folder in (figures.CAPTIONS, html_page.TEMPLATES):
        assert f'folder_version("{folder.relative_to(PROJECT).as_posix()}")' in RULE


def test_nothing_refers_to_the_network(full_size: Path) -> None:
    for name in ("report.html", "clips.html"):
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", (full_size / name).read_text()), name
    assert "://" not in (full_size / "landing.html").read_text()


def test_simulated_results_say_so_everywhere(full_size: Path) -> None:
    for path in full_size.iterdir():
        if path.suffix in (".svg", ".html"):
            assert "SIMULATED" in path.read_text(), path.name


def test_fails_with_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    script = PROJECT / "workflow_scripts" / "figures.py"
    command = [sys.executable, str(script), "--run", "results/none", "--frames", "data/none", "--output", "out"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: results/none/config.yaml does not exist")
    assert list(tmp_path.iterdir()) == []


def caption(name: str, drawn: Path) -> str:
    settings = yaml.safe_load((drawn.parent / "config.yaml").read_text())
    return re.sub(
        r"<[^>]+>|\s+",
        " ",
        captions.render_caption(PROJECT / "report" / f"{name}.rst", settings, drawn / "facts.rst"),
    )


def test_compare_prints_the_difference_and_interval_that_the_report_shows(compared: Path, tmp_path: Path) -> None:
    page = (compared / "report.html").read_text()
    table = re.search(r'download="differences.csv" href="data:text/csv;charset=utf-8,([^"]*)"', page)[1]
    shown = pd.read_csv(io.StringIO(unquote(html.unescape(table))))
    results = compared.parents[1]
    call(compare.main, results / "other", results / "simulated", "--csv", "--output", tmp_path / "compare_other.csv")
    printed = pd.read_csv(tmp_path / "compare_other.csv").query("split == 'all'")
    assert list(shown["protocol"]) == list(printed["protocol"]) == ["segments"]
    for here, there in {"difference": "difference", "low": "difference_low", "high": "difference_high"}.items():
        assert list(shown[here]) == pytest.approx(list(printed[there]), rel=1e-5, abs=0), here
    low, high = printed[["difference_low", "difference_high"]].iloc[0]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page.partition('id="table-differences"')[2].partition("</table>")[0])
    assert {f"{100 * low:.1f} %", f"{100 * high:.1f} %"} <= set(cells)


def test_given_weights_are_not_described_by_the_settings(tmp_path: Path) -> None:
    """Both splits were evaluated with given networks that are unlike `model:` and `clip:`; `train:` did nothing."""
    given = {1: "a.pdparams", 2: "b.pdparams"}
    run = simulate(tmp_path, classes=3, splits=(1, 2), seeds=(1,), protocols=("segments",), given_weights=given)
    change_json(run / "split1/seed1/model/metadata.json", model=NETWORK | {"depth": 10, "width": 8})
    change_json(run / "split2/seed1/model/metadata.json", model=NETWORK | {"shortcut": "A"},
                clip=CLIP | {"frames": 8, "size": 64})  # fmt: skip
    change_json(run / "split2/seed1/segments/metrics.json", protocol_description="of 8 frames")
    settings = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(settings | {"validation_groups": [9]}))
    drawn = draw_figures(tmp_path)
    report = (drawn / "report.html").read_text()
    assert "<h1>ResNet-10 and ResNet-18 on simulated: run simulated</h1>" in report
    assert "segments: split 1: as simulated; split 2: of 8 frames" in report
    assert "for validation" not in (drawn / "landing.html").read_text()
    accuracy = caption("accuracy", drawn)
    assert "split 1: ResNet-10, shortcut reference, width 8; split 2: ResNet-18, shortcut A, width 64" in accuracy
    clips = "split 1: 16 frames of 112 × 112 pixels; split 2: 8 frames of 64 × 64 pixels"
    assert clips in accuracy
    assert clips in caption("clips", drawn)
    curves = caption("learning_curves", drawn)
    assert "0 training(s)" in curves
    assert "Settings of the training: none, as the evaluated weights were not trained in this run." in curves
    assert not re.search(r"<td[^>]*>train</td>", report)
    assert re.search(r"<td[^>]*>export</td>", report)


def test_recipe_and_validation_are_those_of_the_trainings_that_were_evaluated(tmp_path: Path) -> None:
    run = simulate(tmp_path, classes=3, splits=(1, 2), seeds=(1, 2), given_weights={2: "given.pdparams"})
    for seed in (1, 2):
        path = run / f"split1/seed{seed}/weights.json"
        train = json.loads(path.read_text())["train"] | {"epochs": 3, "batch_size": 5}
        change_json(path, train=train, validation_groups=[4, 5])
    read = read_run(run)
    assert provenance.describe_validation(read) == "split 1: groups 4, 5"
    assert provenance.describe_recipes(read).startswith("split 1: batches of 5, 3 epochs, ")
    change_json(run / "split1/seed2/weights.json", validation_groups=[])
    assert provenance.describe_validation(read_run(run)) == "split 1 seed 1: groups 4, 5"


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_comparison_with_a_run_that_knows_the_videos_says_so(tmp_path: Path) -> None:
    small = {"classes": 3, "splits": (1,), "seeds": (1,), "protocols": ("segments",)}
    other = simulate(tmp_path, run="other", **small)
    predictions = other / "split1/seed1/segments/predictions.csv"
    table = pd.read_csv(predictions)
    table.loc[:1, ["trained_on", "group_trained_on"]] = 1
    table.loc[2:4, "group_trained_on"] = 1
    table.to_csv(predictions, index=False)
    ours, theirs = read_run(simulate(tmp_path, compare=("other",), **small)), read_run(other)
    differences = paired_comparison.difference_table(ours, [theirs])
    counts = ["trained_on_ours", "trained_on_theirs", "group_trained_on_ours", "group_trained_on_theirs"]
    assert differences[counts].values.tolist() == [[0, 2, 0, 5]]
    (notice,) = paired_comparison.leak_warnings(ours, differences)
    assert notice == (
        "NOT A TEST: run other was trained on 2 and on the groups (recordings) of 5 of the 112 videos that are "
        "compared (segments). The difference says nothing about unseen videos."
    )
    report = (draw_figures(tmp_path) / "report.html").read_text()
    assert f'<p class="notice">{notice}</p>' in report.partition('id="comparison"')[2]
