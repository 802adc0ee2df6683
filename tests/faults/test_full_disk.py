"""A disk that fills up at any stage is said in a sentence, gets its space back, and the next call goes on."""

import re
import shutil

import pytest

from helpers.small_disk import small_disk

SPLIT = "results/tiny/split1/seed7"
# Each stage: what is to be made again, and a file of it.
STAGES = {
    "download_splits": ("resources/tiny/ucfTrainTestlist", ""),
    "unpack": ("data/tiny/videos", ".unpacked/dca68102.csv"),
    "extract_frames": ("data/tiny/frames", "24px_q80/Retreat.csv"),
    "make_splits": ("results/tiny/splits", "split1.csv"),
    "train": (SPLIT, "weights.pdparams"),
    "check_weights": (f"{SPLIT}/origins", "trained.json"),
    "export": (f"{SPLIT}/model", "model.json"),
    "evaluate": (f"{SPLIT}/segments", "predictions.csv"),
    "accuracy": ("results/tiny/accuracy.csv", ""),
    "figures": ("results/tiny/figures", "report.html"),
}
FAST = {"extract_frames", "export"}


@pytest.mark.parametrize(
    "stage", [pytest.param(stage, marks=() if stage in FAST else pytest.mark.faults) for stage in STAGES]
)
def test_a_disk_that_fills_up_is_said_and_the_next_call_goes_on(finished, stage):
    made, file = STAGES[stage]
    top, target = finished.folder / made.split("/")[0], finished.folder / made
    before = {path.name for path in target.rglob("*")}
    size = sum(path.stat().st_size for path in [target, *target.rglob("*")] if path.is_file())
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    call = ("--", f"{made}/{file}".rstrip("/"))
    with small_disk(top) as disk:
        disk.leave(size // 2)
        free = disk.free()
        text = finished.fail(*call)
        last = text.splitlines()[-1]
        assert last.startswith(f"error in {stage}") and "Traceback" not in text
        assert re.search(
            r"could not be written \(No space left .*\): it needs more than the \S+ MB that are free", last
        )
        assert not list(top.rglob(".*.part"))
        assert disk.free() >= free - 20_000  # folders, and small files that were whole
        disk.leave(100 << 20)
        finished.run(*call)
        assert {path.name for path in target.rglob("*")} == before
