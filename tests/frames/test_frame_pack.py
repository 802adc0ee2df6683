"""The frame pack: what is written is what is read, by us and by every zip tool; damage is named."""

import random
import zipfile

import pytest

from video3d.common.errors import UserError
from video3d.frames import frame_pack
from video3d.frames.frame_pack import Pack, PackWriter

VIDEOS = {"v_Punch_g01_c01": 3, "v_Punch_g01_c02": 1, "v_Punch_g25_c07": 12}


def jpegs(video: str, frames: int) -> list[bytes]:
    draw = random.Random(video)
    return [b"\xff\xd8" + draw.randbytes(draw.randrange(1, 500)) + b"\xff\xd9" for _ in range(frames)]


def write(path, videos=VIDEOS):
    with PackWriter(path) as pack:
        return {video: pack.add(video, iter(jpegs(video, frames))) for video, frames in videos.items()}


def test_frames_come_back_as_they_were_written(tmp_path):
    facts = write(tmp_path / "Punch.zip")
    pack = Pack(tmp_path / "Punch.zip")
    assert pack.videos == VIDEOS
    for video, frames in VIDEOS.items():
        expected = jpegs(video, frames)
        assert [bytes(jpeg) for jpeg in pack.jpegs(video, range(frames))] == expected
        assert facts[video][:2] == (frames, sum(map(len, expected)))


def test_any_zip_tool_reads_a_pack(tmp_path):
    write(tmp_path / "Punch.zip")
    with zipfile.ZipFile(tmp_path / "Punch.zip") as archive:
        assert archive.testzip() is None
        members = archive.infolist()
        assert [member.filename for member in members[:4]] == [
            "v_Punch_g01_c01/img_00001.jpg",
            "v_Punch_g01_c01/img_00002.jpg",
            "v_Punch_g01_c01/img_00003.jpg",
            "v_Punch_g01_c02/img_00001.jpg",
        ]
        assert all(member.compress_type == zipfile.ZIP_STORED for member in members)
        assert archive.read(members[3]) == jpegs("v_Punch_g01_c02", 1)[0]
        archive.extractall(tmp_path / "unpacked")
    assert (tmp_path / "unpacked/v_Punch_g25_c07/img_00012.jpg").stat().st_mode & 0o777 == 0o644


def test_pack_of_a_zip_tool_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "Punch.zip", "w") as archive:
        archive.writestr("v_Punch_g01_c01/img_00001.jpg", b"one")
    assert bytes(Pack(tmp_path / "Punch.zip").jpegs("v_Punch_g01_c01", [0])[0]) == b"one"


def test_equal_frames_give_equal_bytes(tmp_path):
    assert write(tmp_path / "a.zip") == write(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_content_tells_videos_apart(tmp_path):
    facts = write(tmp_path / "Punch.zip")
    assert len({fact.content for fact in facts.values()}) == len(VIDEOS)


def test_pack_without_a_video(tmp_path):
    write(tmp_path / "Punch.zip", {})
    assert Pack(tmp_path / "Punch.zip").videos == {}


def test_more_members_than_16_bits_count(tmp_path):
    with PackWriter(tmp_path / "Punch.zip") as pack:
        pack.add("v_Punch_g01_c01", (b"%d" % index for index in range(66_000)))
    pack = Pack(tmp_path / "Punch.zip")
    assert pack.videos == {"v_Punch_g01_c01": 66_000}
    assert bytes(pack.jpegs("v_Punch_g01_c01", [65_999])[0]) == b"65999"
    with zipfile.ZipFile(tmp_path / "Punch.zip") as archive:
        assert archive.read("v_Punch_g01_c01/img_66000.jpg") == b"65999"


def test_offsets_beyond_32_bits(tmp_path, monkeypatch):
    """A 4 GiB pack takes too long here, so the reader and the writer are told that offsets end at 1,000."""
    monkeypatch.setattr(frame_pack, "ALL_32_BITS", 1_000)
    write(tmp_path / "Punch.zip")
    monkeypatch.undo()
    data = bytearray((tmp_path / "Punch.zip").read_bytes())
    (tmp_path / "Punch.zip").write_bytes(data.replace((1_000).to_bytes(4, "little"), b"\xff" * 4))
    with zipfile.ZipFile(tmp_path / "Punch.zip") as archive:
        assert archive.testzip() is None
    pack = Pack(tmp_path / "Punch.zip")
    for video, frames in VIDEOS.items():
        assert [bytes(jpeg) for jpeg in pack.jpegs(video, range(frames))] == jpegs(video, frames)


def test_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), PackWriter(tmp_path / "Punch.zip") as pack:
        pack.add("v_Punch_g01_c01", jpegs("a", 2))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_interrupted_pack_is_continued(tmp_path):
    write(tmp_path / "whole.zip")
    with pytest.raises(KeyboardInterrupt), PackWriter(tmp_path / "Punch.zip") as pack:
        pack.add("v_Punch_g01_c01", jpegs("v_Punch_g01_c01", 3))
        size = pack.size
        pack.add("v_Punch_g01_c02", jpegs("other", 1))
        raise KeyboardInterrupt
    assert not (tmp_path / "Punch.zip").exists()
    pack = PackWriter(tmp_path / "Punch.zip")
    assert pack.resume(size)
    with pack:
        for video in ("v_Punch_g01_c02", "v_Punch_g25_c07"):
            pack.add(video, jpegs(video, VIDEOS[video]))
    assert (tmp_path / "Punch.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert not pack.partial.exists()


@pytest.mark.parametrize("damage", ["cut", "flip", "middle"])
def test_damaged_rest_is_not_continued(tmp_path, damage):
    with pytest.raises(KeyboardInterrupt), PackWriter(tmp_path / "Punch.zip") as pack:
        pack.add("v_Punch_g01_c01", jpegs("a", 3))
        raise KeyboardInterrupt
    data = bytearray(pack.partial.read_bytes())
    size = pack.size
    if damage == "cut":
        del data[-1]
    elif damage == "flip":
        data[-1] ^= 1
    else:
        size -= 1
    pack.partial.write_bytes(data)
    again = PackWriter(tmp_path / "Punch.zip")
    assert not again.resume(size)
    with again:
        again.add("v_Punch_g01_c02", jpegs("b", 1))
    assert Pack(tmp_path / "Punch.zip").videos == {"v_Punch_g01_c02": 1}


def test_flipped_bit_is_named(tmp_path):
    write(tmp_path / "Punch.zip")
    data = bytearray((tmp_path / "Punch.zip").read_bytes())
    frame = jpegs("v_Punch_g25_c07", 12)[4]
    data[data.index(frame) + len(frame) // 2] ^= 1
    (tmp_path / "Punch.zip").write_bytes(data)
    pack = Pack(tmp_path / "Punch.zip")
    pack.jpegs("v_Punch_g25_c07", [3, 5])
    for _ in range(2):
        with pytest.raises(UserError, match=r"class Punch, video v_Punch_g25_c07, frame 5: damaged"):
            pack.jpegs("v_Punch_g25_c07", [3, 4])


@pytest.mark.parametrize("index", [-1, 3])
def test_frame_that_does_not_exist_is_named(tmp_path, index):
    write(tmp_path / "Punch.zip")
    with pytest.raises(UserError, match=rf"class Punch, video v_Punch_g01_c01, frame {index + 1}: .* has 3 frames"):
        Pack(tmp_path / "Punch.zip").jpegs("v_Punch_g01_c01", [index])
    with pytest.raises(UserError, match=r"video v_Punch_g09_c01, frame 1: .* has 0 frames"):
        Pack(tmp_path / "Punch.zip").jpegs("v_Punch_g09_c01", [0])
    with pytest.raises(UserError, match=r"video v_Punch_g09_c01, frame 8: .* has 0 frames"):
        Pack(tmp_path / "Punch.zip").jpegs("v_Punch_g09_c01", [7])


@pytest.mark.parametrize("keep", [0, 10, 1_000, -1])
def test_truncated_pack(tmp_path, keep):
    write(tmp_path / "Punch.zip")
    data = (tmp_path / "Punch.zip").read_bytes()
    (tmp_path / "Punch.zip").write_bytes(data[:keep])
    with pytest.raises(UserError, match=r"Punch\.zip is not a whole frame pack .* class Punch anew"):
        Pack(tmp_path / "Punch.zip")


@pytest.mark.parametrize("name", ["v_Punch_g01_c01/img_00002.jpg", "v_Punch_g01_c01/frame.jpg", "img_00001"])
def test_holes_and_strange_names(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "Punch.zip", "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(UserError, match="is not a whole frame pack"):
        Pack(tmp_path / "Punch.zip")


def test_compressed_members_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "Punch.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v_Punch_g01_c01/img_00001.jpg", b"1" * 100)
    with pytest.raises(UserError, match="compressed"):
        Pack(tmp_path / "Punch.zip")


def test_missing_pack(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        Pack(tmp_path / "Punch.zip")
