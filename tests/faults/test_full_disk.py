"""A disk that fills up at any stage is said in a sentence, gets its space back, and the next call goes on."""

import re
import shutil

import pytest

from helpers.small_disk import small_disk

SPLIT = "results/tiny/split1/seed7"
# Each stage: what one job of it makes, first the file that is asked for.
STAGES = {
    "download_splits": ["resources/tiny/ucfTrainTestlist"],
    "unpack": ["data/tiny/videos/.unpacked/dca68102.csv", "data/tiny/videos"],
    "extract_frames": ["data/tiny/frames/24px_q80/Retreat.csv", "data/tiny/frames/24px_q80/Retreat.zip"],
    "make_splits": ["results/tiny/splits/split1.csv"],
    "train": [f"{SPLIT}/weights.pdparams", f"{SPLIT}/weights.json", f"{SPLIT}/history.csv", f"{SPLIT}/checkpoints"],
    "check_weights": [f"{SPLIT}/origins/trained.json"],
    "export": [f"{SPLIT}/model/model.json", f"{SPLIT}/model"],
    "evaluate": [f"{SPLIT}/segments/predictions.csv", f"{SPLIT}/segments"],
    "accuracy": ["results/tiny/accuracy.csv"],
    "figures": ["results/tiny/figures/report.html", "results/tiny/figures"],
}
SENTENCE = (
    r"could not be written \(No space left .*\): it needs more than the \S+ MB that are free in "
    r"|unpacking videos\.zip needs \S+ MB, but .* has \S+ MB free"  # which is known beforehand
)
FAST = {"extract_frames", "export"}
SMALL = 16_000  # bytes; less is not told from nothing on a disk that has pages of 4096


def remove(path):
    """Remove a file, or a folder with all that is in it; return how many bytes it held."""
    held = sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return held


@pytest.mark.parametrize(
    "stage", [pytest.param(stage, marks=() if stage in FAST else pytest.mark.faults) for stage in STAGES]
)
def test_a_disk_that_fills_up_is_said_and_the_next_call_goes_on(finished, stage):
    made = [finished.folder / path for path in STAGES[stage]]
    size = sum(remove(path) for path in made if path.exists())
    top = finished.folder / STAGES[stage][0].split("/")[0]
    with small_disk(top) as disk:
        disk.leave(size // 2 if size > SMALL else 0)
        free = disk.free()
        text = finished.fail("--", STAGES[stage][0])
        last = text.splitlines()[-1]
        assert last.startswith(f"error in {stage}") and "Traceback" not in text
        assert re.search(SENTENCE, last), last
        assert not list(top.rglob(".*.part"))
        assert disk.free() >= free - 20_000  # folders, and small files that were whole
        disk.leave(100 << 20)
        finished.run("--", STAGES[stage][0])
        assert all(path.exists() for path in made)
