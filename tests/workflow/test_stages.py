"""Exit code 0 means that everything is there: after any stage alone is done or done again, one call does the rest."""

import hashlib

import pytest

SPLIT1 = "results/tiny/split1/seed7"
MARK = hashlib.sha256(b"Approach\nHandstandPushups\nRetreat").hexdigest()[:8]
# Every rule of the workflow in its order, and a file that it makes.
STAGES = {
    "download_splits": "resources/tiny/ucfTrainTestlist",
    "download_videos": "resources/tiny/videos.zip",
    "unpack": f"data/tiny/videos/.unpacked/{MARK}.csv",
    "extract_frames": "data/tiny/frames/24px_q80/Retreat.csv",
    "audit": "results/tiny/audit.csv",
    "make_splits": "results/tiny/splits/split1.csv",
    "train": f"{SPLIT1}/weights.pdparams",
    "check_weights": f"{SPLIT1}/origins/trained.json",
    "export": f"{SPLIT1}/model/model.json",
    "evaluate": f"{SPLIT1}/segments/metrics.json",
    "accuracy": "results/tiny/accuracy.csv",
    "figures": "results/tiny/figures/report.html",
}


def test_after_each_stage_alone_the_call_knows_all_that_is_missing(fresh):
    rules = list(STAGES)
    missing = set(fresh.would_run())
    assert set(rules) <= missing
    for number, (rule, file) in enumerate(STAGES.items()):
        fresh.run("--", file)
        missing = set(fresh.would_run())
        assert set(rules[number + 1 :]) <= missing, f"after {rule}"
    assert missing == set()


def test_a_downloaded_archive_whose_checksum_is_added_later_hides_nothing(fresh):
    """Seen: one job, exit code 0, and nothing else made, as an input of the checkpoint was `ancient()`."""
    fresh.run("--", STAGES["download_videos"])
    checksum = hashlib.sha256((fresh.folder / "source/videos.zip").read_bytes()).hexdigest()
    missing = fresh.would_run("--config", f"dataset={{videos_sha256: {checksum}}}")
    assert set(STAGES) - {"download_videos"} <= set(missing)


@pytest.mark.parametrize("rule", ["download_splits", "download_videos", "unpack", "audit", "make_splits", "evaluate"])
def test_after_a_stage_is_done_again_one_call_leaves_nothing_to_do_but_to_draw(finished, rule):
    finished.run("--force", STAGES[rule])
    finished.run("--", STAGES["accuracy"])
    assert finished.would_run() in ({}, {"figures": 1})  # which take the longest
    assert all((finished.folder / file).exists() for file in STAGES.values())
