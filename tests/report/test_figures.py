"""The files that figures.py writes, without a browser."""

import gzip
import html
import io
import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import simplejpeg
import yaml

import compare
from helpers.script_call import call
from helpers.simulated import draw_figures, simulate
from video3d.common.errors import UserError
from video3d.common.settings import resolve
from video3d.frames.frame_pack import PackWriter
from video3d.report import captions, contact_sheets, html_page, paired_comparison, provenance, stage_times, tables
from video3d.report.results import read_run

PROJECT = Path(__file__).parents[2]
OUTPUTS = re.findall(r'"results/<run>/figures/(\S+)"', (PROJECT / "rules" / "report.smk").read_text())


def unpacked(page: Path) -> str:
    """The page inside of a page that unpacks itself."""
    return gzip.decompress(b64decode(re.search(r'atob\("([^"]+)"\)', page.read_text())[1])).decode()


def test_writes_exactly_what_the_rule_declares(full_size: Path) -> None:
    assert sorted(path.name for path in full_size.iterdir()) == sorted(OUTPUTS)


def test_nothing_refers_to_the_network(full_size: Path) -> None:
    for name in ("report.html", "clips.html"):
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", unpacked(full_size / name)), name
    assert "://" not in (full_size / "landing.html").read_text()


def test_simulated_results_say_so_everywhere(full_size: Path) -> None:
    for path in full_size.iterdir():
        if path.name in ("report.html", "clips.html"):
            assert "SIMULATED" in unpacked(path), path.name
        elif path.suffix in (".svg", ".html"):
            assert "SIMULATED" in path.read_text(), path.name


def test_numbers_of_the_captions_are_all_there(full_size: Path) -> None:
    for path in (PROJECT / "report").glob("*.rst"):
        if path.stem != "workflow":
            caption = captions.render_caption(path, resolve({}).model_dump(), full_size / "facts.rst")
            assert "|" not in caption, path.name


def test_a_caption_with_an_unknown_number_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "some.rst").write_text("There are |unicorns|.")
    with pytest.raises(UserError, match=r"some.rst: .*unicorns"):
        captions.render_caption(tmp_path / "some.rst", {}, tmp_path / "facts.rst")


def test_fails_with_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    script = PROJECT / "workflow_scripts" / "figures.py"
    command = [sys.executable, str(script), "--run", "results/none", "--frames", "data/none", "--output", "out"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: results/none/config.yaml does not exist")
    assert list(tmp_path.iterdir()) == []


def test_table_shows_per_cent_and_keeps_numbers_for_sorting() -> None:
    frame = pd.DataFrame({"class": ["A & B", None], "top1": [0.25, np.nan], "seed": [10001, 2], "videos": [1234, 5.5]})
    table = html_page.render_table(frame)
    assert [cell["text"] for cell in table["rows"][0]] == ["A & B", "25.0 %", "10001", "1,234"]
    assert [cell["text"] for cell in table["rows"][1]] == ["", "–", "2", "5.5"]
    assert [column["number"] for column in table["columns"]] == [False, True, True, True]
    assert table["rows"][0][1]["value"] == 0.25
    assert "%26" in table["csv"]


def test_audit_is_counted_by_class() -> None:
    audit = pd.DataFrame({"class": ["A", "A", "B"], "status": ["ok", "missing", "ok"]})
    by_class = tables.count_statuses(audit)
    assert by_class.to_dict("records") == [
        {"class": "A", "videos": 2, "ok": 1, "missing": 1},
        {"class": "B", "videos": 1, "ok": 1, "missing": 0},
    ]
    assert tables.audit_sentence(by_class) == "3 videos of 2 classes, decoded frame by frame: 2 ok, 1 missing."


def measure(folder: Path, jobs: dict[str, float]) -> None:
    """Write benchmark files, seconds by rule and name."""
    for name, seconds in jobs.items():
        path = folder / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t100.0\n")


def ran(
    trainings: dict[int, dict] | None = None, evaluations: tuple[tuple[str, float], ...] = (), splits: tuple = (1, 2)
) -> SimpleNamespace:
    """What the table of times asks of a run with the seed 7; `trainings` by split."""
    return SimpleNamespace(
        name="mine",
        settings=resolve({"dataset": {"name": "data"}, "splits": list(splits)}),
        protocols=["segments"],
        models={(split, 7): {} for split in splits},
        trainings={(split, 7): training for split, training in (trainings or {}).items()},
        evaluations={i: {"device": device, "seconds": seconds} for i, (device, seconds) in enumerate(evaluations)},
    )


def stages(folder: Path, run: SimpleNamespace, classes: tuple[str, ...] = ("A", "B")) -> pd.DataFrame:
    return stage_times.sum_by_rule(stage_times.read_jobs(folder, run, classes), run)


def test_stages_are_those_that_the_results_rest_on(tmp_path: Path) -> None:
    counted = {
        "extract_frames/data/A": 5, "extract_frames/data/B": 6, "audit/mine": 7, "make_splits/mine/split1": 8,
        "train/mine/split1_seed7": 10, "check_weights/mine/split1_seed7_12ab": 11, "export/mine/split1_seed7": 12,
        "evaluate/mine/split1_seed7_segments": 13, "accuracy/mine": 14,
    }  # fmt: skip
    others = (
        "extract_frames/data/C", "extract_frames/mine/A", "audit/other", "audit/data", "make_splits/mine/split2",
        "train/mine/split2_seed7", "train/mine/split1_seed8",
        "check_weights/mine/split1_seed7_trained", "export/mine/split1_seed8", "evaluate/mine/split1_seed7_sliding",
        "accuracy/other", "figures/mine",
    )  # fmt: skip
    measure(tmp_path, counted | dict.fromkeys(others, 1000))
    os.utime(tmp_path / "check_weights/mine/split1_seed7_trained.tsv", (0, 0))  # of weights that were evaluated before
    table = stages(tmp_path, ran({1: {}}, splits=(1,)))
    assert table[["rule", "jobs", "seconds"]].values.tolist() == [
        ["extract_frames", 2, 11], ["audit", 1, 7], ["make_splits", 1, 8],
        ["train", 1, 10], ["check_weights", 1, 11], ["export", 1, 12], ["evaluate", 1, 13], ["accuracy", 1, 14],
        ["total", 9, 86],
    ]  # fmt: skip


def test_no_time_of_training_where_nothing_was_trained(tmp_path: Path) -> None:
    measure(tmp_path, {"train/mine/split1_seed7": 1000, "export/mine/split1_seed7": 12})
    assert stages(tmp_path, ran())["rule"].tolist() == ["export", "total"]


def test_the_time_of_a_training_is_that_of_all_its_attempts(tmp_path: Path) -> None:
    # Split 1 was resumed; split 2, of version 0.1, kept no attempts; split 3 has no benchmark file.
    measure(tmp_path, {"train/mine/split1_seed7": 279, "train/mine/split2_seed7": 100})
    measure(tmp_path, {f"evaluate/mine/split{split}_seed7_segments": 30 for split in (1, 2, 3)})
    resumed = [{"seconds": 418.0, "device": "cpu"}, {"seconds": 279.0, "device": "gpu"}]
    train = {"train": {"devices": 4}}
    trainings = {1: train | {"attempts": resumed}, 2: train, 3: train | {"attempts": [{"seconds": 3, "device": "cpu"}]}}
    table = stages(tmp_path, ran(trainings, (("gpu", 36), ("cpu", 40)), splits=(1, 2, 3)))
    assert table[["rule", "jobs", "seconds", "time", "gpu_hours"]].values.tolist() == [
        ["train", 3, 800, "0:13:20", "0.31"],  # 697 + 100 + 3 s; 4 × 279 s = 0.31 h
        ["evaluate", 3, 90, "0:01:30", "0.01"],
        ["total", 6, 890, "0:14:50", "0.32"],
    ]


def test_pictures_show_the_centre_of_the_middle_frame(tmp_path: Path) -> None:
    frames = [np.full((20, 40, 3), value, np.uint8) for value in (0, 100, 200)]
    frames[1][:, :10] = 255  # outside of the centre square
    with PackWriter(tmp_path / "A.zip") as pack:
        pack.add("v", [simplejpeg.encode_jpeg(frame, quality=100) for frame in frames])
    source = contact_sheets.FrameReader(tmp_path)
    assert np.abs(source.middle_frame("A", "v", 10).astype(int) - 100).max() <= 2
    clip = source.middle_clip("A", "v", 3, resolve({}).evaluate, 10)
    assert clip.shape == (3, 10, 10, 3)
    assert source.has_packs(["A"])
    assert not source.has_packs(["A", "B"])


def test_names_in_pictures_are_escaped() -> None:
    cell = SimpleNamespace(image=np.zeros((4, 4, 3), np.uint8), lines=[("<b>", "#000")])
    assert "&lt;b&gt;" in contact_sheets.draw_sheet([("a & b", [cell])])


def caption(name: str, figures: Path) -> str:
    settings = yaml.safe_load((figures.parent / "config.yaml").read_text())
    return re.sub(
        r"<[^>]+>|\s+",
        " ",
        captions.render_caption(PROJECT / "report" / f"{name}.rst", settings, figures / "facts.rst"),
    )


def test_compare_prints_the_difference_and_interval_that_the_report_shows(compared: Path, tmp_path: Path) -> None:
    page = unpacked(compared / "report.html")
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
    change_json(run / "split1/seed1/model/metadata.json", model={"depth": 10, "shortcut": "reference", "width": 8})
    change_json(run / "split2/seed1/model/metadata.json", model={"depth": 18, "shortcut": "paper", "width": 64},
                clip={"frames": 8, "size": 64})  # fmt: skip
    change_json(run / "split2/seed1/segments/metrics.json", protocol_description="of 8 frames")
    settings = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(settings | {"validation_groups": [9]}))
    figures = draw_figures(tmp_path)
    report = unpacked(figures / "report.html")
    assert "<h1>ResNet-10 and ResNet-18 on simulated: run simulated</h1>" in report
    assert "segments: split 1: as simulated; split 2: of 8 frames" in report
    assert "for validation" not in (figures / "landing.html").read_text()
    accuracy = caption("accuracy", figures)
    assert "split 1: ResNet-10, shortcut reference, width 8; split 2: ResNet-18, shortcut paper, width 64" in accuracy
    clips = "split 1: 16 frames of 112 × 112 pixels; split 2: 8 frames of 64 × 64 pixels"
    assert clips in accuracy
    assert clips in caption("clips", figures)
    curves = caption("learning_curves", figures)
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
    report = unpacked(draw_figures(tmp_path) / "report.html")
    assert f'<p class="notice">{notice}</p>' in report.partition('id="comparison"')[2]
