import pytest

from helpers.tiny_packs import write_dataset, write_pack
from video3d.common.errors import UserError
from video3d.dataset.split_table import read_split
from video3d.frames.manifests import content_hash


def test_the_content_hash_follows_frames_and_labels_only(tmp_path):
    dataset = write_dataset(tmp_path, classes=["Bowling", "Archery"], videos=3, frames=9)
    videos = read_split(dataset / "split1.csv")
    before = content_hash(dataset / "frames", videos)
    write_pack(dataset / "frames", "Bowling", 3, 9)
    assert content_hash(dataset / "frames", videos) == before
    assert content_hash(dataset / "frames", [videos[0]._replace(label=1), *videos[1:]]) != before
    write_pack(dataset / "frames", "Bowling", 3, 9, brightness=1)
    assert content_hash(dataset / "frames", videos) != before
    with pytest.raises(UserError, match="does not know v_x"):
        content_hash(dataset / "frames", [videos[0]._replace(name="v_x")])
    with pytest.raises(UserError, match=r"Clapping.csv does not exist"):
        content_hash(dataset / "frames", [videos[0]._replace(class_name="Clapping")])
