"""The times in the report are those of the jobs that the results rest on."""

import os
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from video3d.common.settings import resolve
from video3d.report import stage_times


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
