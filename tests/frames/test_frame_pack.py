"""The frame pack: what is written is what is read, by us and by every zip tool; damage is named."""

import random
import zipfile

import pytest

from video3d.common.errors import UserError
from video3d.frames.frame_pack import Pack, PackWriter

PACK_OF_VERSION_0_1 = """
    504b030414000000000000002100f1866c7a03000000030000001d000000765f50756e63685f6730315f6330312f696d675f30303030312e
    6a70676f6e65504b030414000000000000002100668aca1103000000030000001d000000765f50756e63685f6730315f6330312f696d675f
    30303030322e6a706774776f504b030414000000000000002100f5d8c54605000000050000001d000000765f50756e63685f6730325f6330
    312f696d675f30303030312e6a70677468726565504b0102140314000000000000002100f1866c7a03000000030000001d00000000000000
    00000000a48100000000765f50756e63685f6730315f6330312f696d675f30303030312e6a7067504b010214031400000000000000210066
    8aca1103000000030000001d0000000000000000000000a4813e000000765f50756e63685f6730315f6330312f696d675f30303030322e6a
    7067504b0102140314000000000000002100f5d8c54605000000050000001d0000000000000000000000a4817c000000765f50756e63685f
    6730325f6330312f696d675f30303030312e6a7067504b05060000000003000300e1000000bc0000000000
"""
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


@pytest.mark.parametrize("frames", [65_535, 66_000])
def test_more_members_than_16_bits_count(tmp_path, frames):
    with PackWriter(tmp_path / "Punch.zip") as pack:
        pack.add("v_Punch_g01_c01", (b"%d" % index for index in range(frames)))
    pack = Pack(tmp_path / "Punch.zip")
    assert pack.videos == {"v_Punch_g01_c01": frames}
    assert bytes(pack.jpegs("v_Punch_g01_c01", [frames - 1])[0]) == b"%d" % (frames - 1)
    with zipfile.ZipFile(tmp_path / "Punch.zip") as archive:
        assert archive.read(f"v_Punch_g01_c01/img_{frames}.jpg") == b"%d" % (frames - 1)


def test_offsets_beyond_32_bits(tmp_path, monkeypatch):
    """A pack of 2 GiB takes too long here, so zipfile is told that offsets of 32 bits end at 1,000."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1_000)
    write(tmp_path / "Punch.zip")
    monkeypatch.undo()
    data = (tmp_path / "Punch.zip").read_bytes()
    assert b"PK\6\6" in data and b"\xff" * 4 in data
    with zipfile.ZipFile(tmp_path / "Punch.zip") as archive:
        assert archive.testzip() is None
    pack = Pack(tmp_path / "Punch.zip")
    for video, frames in VIDEOS.items():
        assert [bytes(jpeg) for jpeg in pack.jpegs(video, range(frames))] == jpegs(video, frames)


def test_packs_of_older_versions_are_read_and_those_of_this_one_have_the_same_bytes(tmp_path):
    """The text is a pack that the writer of version 0.1 made, which laid out each header by itself."""
    old = bytes.fromhex(PACK_OF_VERSION_0_1)
    (tmp_path / "old.zip").write_bytes(old)
    pack = Pack(tmp_path / "old.zip")
    assert pack.videos == {"v_Punch_g01_c01": 2, "v_Punch_g02_c01": 1}
    assert [bytes(jpeg) for jpeg in pack.jpegs("v_Punch_g01_c01", [0, 1])] == [b"one", b"two"]
    assert bytes(pack.jpegs("v_Punch_g02_c01", [0])[0]) == b"three"
    with PackWriter(tmp_path / "new.zip") as writer:
        writer.add("v_Punch_g01_c01", [b"one", b"two"])
        writer.add("v_Punch_g02_c01", [b"three"])
    assert (tmp_path / "new.zip").read_bytes() == old


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_error_leaves_nothing(tmp_path, error):
    with pytest.raises(error), PackWriter(tmp_path / "Punch.zip") as pack:
        pack.add("v_Punch_g01_c01", jpegs("a", 2))
        raise error
    assert list(tmp_path.iterdir()) == []


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
