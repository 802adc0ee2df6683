import pytest

from helpers.tiny_packs import write_dataset
from video3d.common.errors import UserError
from video3d.dataset.split_table import Video, class_names, number_groups, read_split


def test_a_split_table_is_read_in_its_order(tmp_path):
    dataset = write_dataset(tmp_path, classes=["Bowling", "Archery"], videos=3, frames=9)
    videos = read_split(dataset / "split1.csv")
    assert videos[0] == Video("v_Bowling_g01_c01", "Bowling", 0, "1", "train", 9)
    assert len(videos) == 6
    assert class_names(videos) == ["Bowling", "Archery"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,class\na,b\n", "lacks one of the columns"),
        ("video,class,label,group,subset,frames\nv,C,zero,1,train,9\n", "no split table"),
        ("video,class,label,group,subset,frames\n", "lists no video"),
    ],
)
def test_damaged_split_tables_are_named(tmp_path, text, message):
    path = tmp_path / "split1.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=f"split1.csv.*{message}"):
        read_split(path)
    with pytest.raises(UserError, match=r"split2\.csv does not exist"):
        read_split(tmp_path / "split2.csv")


def test_labels_must_be_a_count_from_zero():
    video = Video("v", "A", 1, "1", "train", 9)
    with pytest.raises(UserError, match="labels"):
        class_names([video])
    with pytest.raises(UserError, match="labels"):
        class_names([video._replace(label=0), video._replace(label=0, class_name="B")])


def test_groups_are_numbered_as_people_sort_them():
    """The bootstrap draws groups by these numbers: those of UCF101 keep the order that they had as numbers."""
    videos = [Video("v", "A", 0, group, "test", 9) for group in ("10", "9", "take 2", "9", "07", "7")]
    assert number_groups(videos) == [3, 2, 4, 2, 0, 1]


def test_what_a_video_is_called_on_disk():
    plain = Video("v_Punch_g01_c01", "Punch", 0, "1", "test", 9)
    assert (plain.pack, plain.folder) == ("Punch", "v_Punch_g01_c01")
    odd = Video("../Punch?/take 1.mp4", "Punch?", 0, "1", "test", 9)
    assert odd.pack.startswith("Punch-") and odd.folder.startswith("take_1.mp4-")
