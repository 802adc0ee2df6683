"""The files that figures.py writes, without a browser."""

import gzip
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import simplejpeg

from video3d import page, pictures, report_tables
from video3d.config import resolve
from video3d.console import UserError
from video3d.packs import PackWriter
from video3d.results import read_benchmarks

PROJECT = Path(__file__).parents[2]
OUTPUTS = re.findall(r'"results/<run>/figures/(\S+)"', (PROJECT / "rules" / "report.smk").read_text())


def unpacked(html: Path) -> str:
    """The page inside of a page that unpacks itself."""
    return gzip.decompress(b64decode(re.search(r'atob\("([^"]+)"\)', html.read_text())[1])).decode()


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
            caption = page.caption(path.stem, resolve({}), full_size / "facts.rst")
            assert "|" not in caption, path.name


def test_a_caption_with_an_unknown_number_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some.rst").write_text("There are |unicorns|.")
    monkeypatch.setattr(page, "TEMPLATES", tmp_path)
    with pytest.raises(UserError, match=r"some.rst: .*unicorns"):
        page.caption("some", {}, tmp_path / "facts.rst")


def test_fails_with_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    script = PROJECT / "workflow_scripts" / "figures.py"
    command = [sys.executable, str(script), "--run", "results/none", "--frames", "data/none", "--output", "out"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: results/none/config.yaml does not exist")
    assert list(tmp_path.iterdir()) == []


def test_table_shows_per_cent_and_keeps_numbers_for_sorting() -> None:
    frame = pd.DataFrame({"class": ["A & B", None], "top1": [0.25, np.nan], "seed": [10001, 2], "videos": [1234, 5.5]})
    table = page.table(frame)
    assert [cell["text"] for cell in table["rows"][0]] == ["A & B", "25.0 %", "10001", "1,234"]
    assert [cell["text"] for cell in table["rows"][1]] == ["", "–", "2", "5.5"]
    assert [column["number"] for column in table["columns"]] == [False, True, True, True]
    assert table["rows"][0][1]["value"] == 0.25
    assert "%26" in table["csv"]


def test_audit_is_counted_by_class() -> None:
    audit = pd.DataFrame({"class": ["A", "A", "B"], "status": ["ok", "missing", "ok"]})
    by_class = report_tables.audit_by_class(audit)
    assert by_class.to_dict("records") == [
        {"class": "A", "videos": 2, "ok": 1, "missing": 1},
        {"class": "B", "videos": 1, "ok": 1, "missing": 0},
    ]
    assert report_tables.audit_summary(by_class) == "3 videos of 2 classes, decoded frame by frame: 2 ok, 1 missing."


def test_stages_are_those_of_the_run_and_of_its_data(tmp_path: Path) -> None:
    for name in ("train/mine/split1", "train/mine/split2", "train/other/split1", "audit/data", "audit/elsewhere"):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s\th:m:s\tmax_rss\n1800.0\t0:30:00\t100.0\n")
    stages = report_tables.stage_times(read_benchmarks(tmp_path, "mine", "data"), ran([], [("cpu", 60)]))
    assert stages[["rule", "jobs", "seconds", "time", "gpu_hours"]].values.tolist() == [
        ["audit", 1, 1800, "0:30:00", ""],
        ["train", 2, 3600, "1:00:00", "none: CPU"],
        ["total", 3, 5400, "1:30:00", "none: CPU"],
    ]


def test_the_time_of_a_training_is_that_of_all_its_attempts(tmp_path: Path) -> None:
    for name, seconds in (("train/mine/split1", 279), ("evaluate/mine/split1", 40), ("evaluate/mine/split2", 50)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}.0\t0:00:00\t100.0\n")
    resumed = [{"seconds": 418.0, "device": "cpu"}, {"seconds": 279.0, "device": "gpu"}]
    run = ran([{"train": {"devices": 4}, "attempts": resumed}], [("gpu", 36), ("cpu", 40)])
    stages = report_tables.stage_times(read_benchmarks(tmp_path, "mine", "data"), run)
    assert stages[["rule", "jobs", "seconds", "time", "gpu_hours"]].values.tolist() == [
        ["train", 1, 697, "0:11:37", "0.31"],  # 4 × 279 s = 0.31 h
        ["evaluate", 2, 90, "0:01:30", "0.01"],
        ["total", 3, 787, "0:13:07", "0.32"],
    ]


def ran(trainings: list[dict], evaluations: list[tuple[str, float]]) -> SimpleNamespace:
    """What the table of times asks of a run."""
    return SimpleNamespace(
        trainings=dict(enumerate(trainings)),
        evaluations=[{"device": device, "seconds": seconds} for device, seconds in evaluations],
    )


def test_pictures_show_the_centre_of_the_middle_frame(tmp_path: Path) -> None:
    frames = [np.full((20, 40, 3), value, np.uint8) for value in (0, 100, 200)]
    frames[1][:, :10] = 255  # outside of the centre square
    with PackWriter(tmp_path / "A.zip") as pack:
        pack.add("v", [simplejpeg.encode_jpeg(frame, quality=100) for frame in frames])
    source = pictures.Frames(tmp_path)
    assert np.abs(source.middle("A", "v", 10).astype(int) - 100).max() <= 2
    settings = resolve({"clip": {"frames": 3}})
    clip = source.clip("A", "v", settings, 10)
    assert clip.shape == (3, 10, 10, 3)
    assert source.complete(["A"])
    assert not source.complete(["A", "B"])


def test_names_in_pictures_are_escaped() -> None:
    cell = SimpleNamespace(image=np.zeros((4, 4, 3), np.uint8), lines=[("<b>", "#000")])
    assert "&lt;b&gt;" in pictures.sheet([("a & b", [cell])])
