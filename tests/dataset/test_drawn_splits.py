"""Drawn splits: whole groups, every class in every fold, the same on each machine, and kept when videos come."""

import random
import subprocess
import sys
from collections import Counter

import pytest

from helpers.paths import PROJECT
from video3d.common.errors import UserError
from video3d.dataset.drawn_splits import draw_splits, read_draw, write_draw
from video3d.dataset.video_table import DatasetVideo


def videos(**groups):
    """`jump="aab"`: three videos of class jump, two of the recording a and one of b."""
    return [
        DatasetVideo(f"{name}/{group}{number}", name, group, {})
        for name, letters in groups.items()
        for number, group in enumerate(letters)
    ]


def random_data(rng):
    classes = {}
    for name in "abcd"[: rng.randint(2, 4)]:
        shared = [f"p{number}" for number in range(6)]  # persons that are in several classes
        own = [f"{name}{number}" for number in range(rng.randint(5, 40))]
        classes[name] = [rng.choice(shared + own) for _ in range(rng.randint(1, 60))] + own[:5]
    return videos(**classes)


def groups_tested(drawn, split):
    return {video.group for video in drawn if video.subsets[split] == "test"}


def test_every_group_is_tested_once_and_whole():
    rng = random.Random(0)
    for _ in range(50):
        data, folds = random_data(rng), rng.randint(2, 5)
        drawn, fold_of = draw_splits(data, folds, rng.randint(0, 9), {})
        assert [video[:3] for video in drawn] == [video[:3] for video in data]
        for split in range(1, folds + 1):
            trained = {video.group for video in drawn if video.subsets[split] == "train"}
            assert groups_tested(drawn, split) == {group for group, fold in fold_of.items() if fold == split}
            assert groups_tested(drawn, split).isdisjoint(trained)
        assert all(sorted(video.subsets.values()) == ["test"] + ["train"] * (folds - 1) for video in drawn)


def test_every_fold_has_its_share_of_every_class():
    data = videos(jump=[f"j{number}" for number in range(31)], run=[f"r{number}" for number in range(10)], sit="xyz")
    drawn, _ = draw_splits(data, 3, 0, {})
    for split in (1, 2, 3):
        counts = Counter(video.class_name for video in drawn if video.subsets[split] == "test")
        assert counts["jump"] in {10, 11} and counts["run"] in {3, 4} and counts["sit"] == 1
    sizes = Counter(split for video in drawn for split, subset in video.subsets.items() if subset == "test")
    assert max(sizes.values()) - min(sizes.values()) <= 1  # the remainders of the classes do not meet in one fold


def test_three_videos_beside_a_thousand():
    drawn, _ = draw_splits(videos(rare="abc", common=[f"g{number}" for number in range(1000)]), 3, 0, {})
    for split in (1, 2, 3):
        counts = Counter(video.class_name for video in drawn if video.subsets[split] == "test")
        assert counts["rare"] == 1 and counts["common"] in {333, 334}


def test_large_groups_are_spread():
    drawn, _ = draw_splits(videos(jump="aaaaaabbbbbbccccccdefghi", run="tuvwxy"), 3, 0, {})
    for split in (1, 2, 3):
        assert sum(video.class_name == "jump" for video in drawn if video.subsets[split] == "test") == 8


def test_old_groups_stay_when_new_ones_come_and_old_ones_go():
    rng = random.Random(1)
    for _ in range(20):
        data = random_data(rng)
        _, before = draw_splits(data, 3, 7, {})
        more = [*data[rng.randint(0, 3) :], *videos(**{name: f"xyz{name}" for name in "abcd"})]
        drawn, after = draw_splits(more, 3, 7, before)
        assert before.items() <= after.items()
        for split in (1, 2, 3):
            assert groups_tested(drawn, split) <= {group for group, fold in after.items() if fold == split}


def test_new_groups_fill_what_is_empty():
    _, fold_of = draw_splits(videos(jump="abcdef", run="rst"), 3, 0, {group: 1 for group in "abcrs"} | {"t": 2})
    assert Counter(fold_of[group] for group in "def") == {2: 2, 3: 1} or Counter(fold_of[group] for group in "def") == {
        2: 1,
        3: 2,
    }


def test_seeds_draw_differently_and_names_decide_alone():
    data = videos(jump=[f"j{number}" for number in range(20)], run=[f"r{number}" for number in range(20)])
    draws = [draw_splits(data, 3, seed, {})[1] for seed in range(5)]
    assert len({tuple(sorted(draw.items())) for draw in draws}) == 5
    shuffled = random.Random(0).sample(data, len(data))
    assert draw_splits(shuffled, 3, 0, {})[1] == draws[0]


def test_another_process_draws_the_same():
    """Hashes of texts differ from process to process; a draw must not depend on them."""
    code = """
from video3d.dataset.drawn_splits import draw_splits
from video3d.dataset.video_table import DatasetVideo
data = [DatasetVideo(f"{c}/{n}", c, f"{c}{n % 7}", {}) for c in "ab" for n in range(20)]
print(sorted(draw_splits(data, 3, 0, {})[1].items()))
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(PROJECT / "workflow_scripts")},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_classes_with_too_few_groups_are_all_named():
    with pytest.raises(UserError, match=r"folds: 3 splits need 3 groups .*: run 2, sit 1; add videos, draw fewer"):
        draw_splits(videos(jump="abc", run="aab", sit="zzz"), 3, 0, {})


def test_a_draw_is_kept(tmp_path):
    assert read_draw(tmp_path / "draw.csv") == {}
    write_draw(tmp_path / "draw.csv", {"take 10": 1, "take 9": 2, 'x, "y"': 3})
    assert (tmp_path / "draw.csv").read_text().splitlines()[:3] == ["group,fold", "take 9,2", "take 10,1"]
    assert read_draw(tmp_path / "draw.csv") == {"take 10": 1, "take 9": 2, 'x, "y"': 3}
    (tmp_path / "draw.csv").write_text("group,fold\na,one\n")
    with pytest.raises(UserError, match="delete it to draw the splits anew"):
        read_draw(tmp_path / "draw.csv")
