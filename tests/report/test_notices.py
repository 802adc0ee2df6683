"""What makes the accuracy of own videos doubtful is said first."""

from dataclasses import dataclass

import pandas as pd

from video3d.report.notices import own_data_notices


@dataclass
class Tested:
    """The part of a run that counts here."""

    first_predictions: pd.DataFrame


def tested(*rows: tuple[int, str, str]) -> Tested:
    return Tested(pd.DataFrame(rows, columns=["split", "class", "group"]))


def listed(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["video", "class", "group", "status"])


ENOUGH = tested(*((1, name, group) for name in ("clap", "wave") for group in "abc"))


def test_nothing_is_said_of_data_without_fault():
    videos = [
        (f"{name}/{group}{take}", name, group, "ok") for name in ("clap", "wave") for group in "abc" for take in "12"
    ]
    assert own_data_notices(ENOUGH, listed(*videos)) == []


def test_videos_that_are_groups_of_their_own():
    (said,) = own_data_notices(ENOUGH, listed(("clap/1", "clap", "clap/1", "ok"), ("wave/1", "wave", "wave/1", "ok")))
    assert "group" in said


def test_copies_are_counted():
    videos = listed(("a", "clap", "1", "ok"), ("b", "clap", "2", "duplicate"), ("c", "wave", "1", "ok"))
    (said,) = own_data_notices(ENOUGH, videos)
    assert said.startswith("Copies: 1 of 3 videos have the frames of another one")


def test_classes_of_very_different_size():
    many = [(f"clap/{take}", "clap", "a", "ok") for take in range(10)]
    few = [("wave/1", "wave", "a", "ok"), ("wave/2", "wave", "a", "ok"), ("wave/3", "wave", "a", "damaged")]
    (said,) = own_data_notices(ENOUGH, listed(*many, *few))
    assert said.startswith("Unequal classes: clap has 10 videos, wave 2.")
    assert own_data_notices(ENOUGH, listed(*many[1:], *few)) == []  # 9 are less than 5 times 2


def test_a_test_of_few_recordings():
    rows = [(1, "clap", "a"), (1, "clap", "a"), (1, "clap", "b"), (1, "wave", "c"), (2, "wave", "d")]
    videos = listed(("a1", "clap", "a", "ok"), ("c1", "wave", "c", "ok"))
    (said,) = own_data_notices(tested(*rows), videos)
    assert said.startswith("Few recordings: split 1 tests wave on 1 of them, and 2 more classes and splits too.")
