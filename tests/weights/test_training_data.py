"""What test videos share with the training data of weights, on data made up by hand."""

import pytest

from video3d.common.errors import UserError
from video3d.dataset.split_table import Video
from video3d.weights.training_data import compare_videos, record_training_data, require_unseen


def video(class_name: str, group: int, clip: int = 1, name: str | None = None) -> Video:
    return Video(name or f"v_{class_name}_g{group:02d}_c{clip:02d}", class_name, 0, str(group), "train", 20)


TRAINED = [video("Archery", 8), video("Archery", 9), video("Bowling", 8, clip=2)]
RECORD = record_training_data(TRAINED, ["a8", "a9", "b8"])


def shared(tested: list[Video], sources: list[str], training_data: dict | None = RECORD):
    return compare_videos(training_data, tested, sources)


def test_the_record_keeps_every_video_with_its_group_and_file():
    assert RECORD == {
        "complete": True,
        "videos": {
            "Archery": {"8": {"v_Archery_g08_c01": "a8"}, "9": {"v_Archery_g09_c01": "a9"}},
            "Bowling": {"8": {"v_Bowling_g08_c02": "b8"}},
        },
    }


def test_other_groups_share_nothing():
    found = shared([video("Archery", 1), video("Bowling", 9)], ["x", "y"])
    assert (found.known, found.videos, found.groups) == (True, [], [])
    require_unseen(found, "w", "split")


def test_a_video_is_known_by_its_name():
    found = shared([video("Archery", 8), video("Archery", 1)], ["another encoding", "x"])
    assert found.videos == ["v_Archery_g08_c01"] and found.groups == [("Archery", "8")]
    assert (found.tested_videos, found.tested_groups) == (2, 2)


def test_a_renamed_copy_is_known_by_its_file():
    """Also when it is of another class, or of a group of another number, in the other data set."""
    found = shared([video("Shooting", 3, name="mine")], ["a9"])
    assert found.videos == ["mine"] and found.groups == [("Shooting", "3")]


def test_another_clip_of_a_recording_shares_the_group_only():
    found = shared([video("Bowling", 8, clip=1)], ["x"])
    assert found.videos == [] and found.groups == [("Bowling", "8")]
    with pytest.raises(UserError, match=r"0 of the 1 test videos of split 1, and on 1 of its 1 groups .*Bowling g08"):
        require_unseen(found, "w.pdparams", "split 1")


def test_a_group_of_the_same_number_in_another_class_is_another_group():
    assert shared([video("Bowling", 9)], ["x"]).groups == []


def test_without_a_record_nobody_knows():
    found = shared(TRAINED, ["a8", "a9", "b8"], None)
    assert found.known is None and found.counts()["test_videos_trained_on"] is None
    require_unseen(found, "w", "split")


def test_what_the_starting_weights_had_seen_counts():
    second = record_training_data([video("Archery", 1)], ["a1"], {"training_data": RECORD})
    assert second["complete"]
    assert shared([video("Archery", 9)], ["x"], second).videos == ["v_Archery_g09_c01"]
    assert shared([video("Archery", 1)], ["x"], second).videos == ["v_Archery_g01_c01"]


def test_starting_from_weights_of_unknown_origin_leaves_it_unknown_unless_something_is_found():
    second = record_training_data([video("Archery", 1)], ["a1"], {})
    assert not second["complete"]
    assert shared([video("Archery", 2)], ["x"], second).known is None
    assert shared([video("Archery", 1)], ["x"], second).known is True
