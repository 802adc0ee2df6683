"""`snakemake overview`: the runs that are there beside each other, and nothing made of any of them."""

import shutil
from pathlib import Path

import pandas as pd

TABLE = "results/overview.csv"


def test_three_runs_beside_each_other(finished):
    """One of two epochs, one of one epoch on one split, and one that has only begun; whatever the settings at hand."""
    other = ["--config", "run=short", "splits=[1]", "train={epochs: 1}"]
    finished.run("results/short/accuracy.csv", *other)
    shutil.copytree(
        finished.folder / "results/tiny/split1/seed7/checkpoints", finished.folder / "results/c/split1/seed7"
    )
    shutil.rmtree(finished.folder / "source")
    before = {path: path.read_bytes() for part in ("results", "data") for path in files(finished.folder / part)}

    assert "tiny     tiny segments" in finished.run("overview", "--config", "run=elsewhere", "train={epochs: 9}")
    table = pd.read_csv(finished.folder / TABLE).set_index("run")
    assert table["status"].str.partition(":")[0].to_dict() == {
        "short": "finished", "tiny": "finished", "c": "not finished",
    }  # fmt: skip
    for run in ("short", "tiny"):
        accuracy = pd.read_csv(finished.folder / f"results/{run}/accuracy.csv").query("split == 'mean'").iloc[0]
        assert table.loc[run, ["top1", "low", "high"]].tolist() == accuracy[["top1", "top1_low", "top1_high"]].tolist()
    assert table.loc["c"].drop("status").isna().all()
    assert table.loc["short", ["splits", "train.epochs", "networks"]].tolist() == ["1", 1, 1]
    assert table.loc["tiny", ["splits", "train.epochs", "networks"]].tolist() == ["1, 2", 2, 2]
    page = (finished.folder / "results/overview.html").read_text()
    assert "2 finished runs, 1 without numbers." in page and 'href="tiny/figures/report.html"' in page
    assert {path: path.read_bytes() for path in before} == before
    assert not (finished.folder / "results/elsewhere").exists()

    assert finished.would_run("overview") == {}
    (finished.folder / "results/short/config.yaml").unlink()
    assert finished.would_run("overview") == {"overview": 1}
    finished.run("overview")
    table = pd.read_csv(finished.folder / TABLE).set_index("run")
    assert table.loc["short", "status"].startswith("cannot be read: results/short/config.yaml does not exist")


def test_without_a_run_it_says_so(fresh):
    assert "there is no run in" in fresh.fail("overview")
    assert not (fresh.folder / TABLE).exists()


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
