"""Names on disk: unchanged where they can be, never shared, never a way out of a folder."""

import hashlib
import itertools
import random
import unicodedata

import pytest

from video3d.dataset.safe_names import PLAIN, natural_key, safe_name, same_to_people
from video3d.dataset.ucf101 import CLASSES, list_videos

ODD = [
    "", ".", "..", "...", "con", "CON", "con.mp4", "nul", "aux.h.avi", "com1", "LPT9.mov", "a/b", "a\\b", "/etc/passwd",
    "../a", "a/..", "a b", " a", "a ", "a.", "a..", ".hidden", "-rf", "--pack", "$HOME", "`id`", "a;b", "a&b", "a|b",
    "a'b", 'a"b', "a\nb", "a\tb", "a\0b", "{class_name}", "<frames>", "*", "?", "%s", "#1", "a!b(c)&d", "跳舞", "跳 舞",
    "été", unicodedata.normalize("NFD", "été"), "\u212b", "\u00c5", "A\u030a", "x" * 200, "x" * 201, "长" * 85,
    "🤸", "\ud800", "take-0123456789ab", "b-0123456789ab.mp4", "dance/1.mp4", "Dance/1.mp4", "dance/1.MP4",
    "dance/1.mov", "dance-1.mp4",
]  # fmt: skip


def letters(count):
    """Return random names of characters that make trouble, and of plain ones."""
    rng = random.Random(0)
    alphabet = "aAbB01._- /\\'\"$é\u0301跳{}<>:\n-"
    return ["".join(rng.choices(alphabet, k=rng.randint(1, 12))) for _ in range(count)]


def test_names_of_ucf101_stay(official_lists):
    names = [*CLASSES, *(video.name for video in list_videos(official_lists))]
    assert len(names) == 101 + 13_320
    assert [safe_name(name) for name in names] == names


def test_every_name_on_disk_is_one_plain_part_of_a_path():
    for name in [*ODD, *letters(5000)]:
        safe = safe_name(name)
        assert safe.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
        assert not set(safe) & set("/\\:*?\"<>|{}'$`&;!() \n\t\0") and safe.isprintable()
        assert safe[0] not in ".-" and safe[-1] not in ". "
        assert len(safe.encode()) <= 180  # a file name has at most 255 bytes; the rest is for what is added
        assert unicodedata.normalize("NFC", safe) == safe


def test_no_two_names_share_one_on_disk():
    names = {*ODD, *letters(20_000)}
    names |= {safe_name(name) for name in names}  # somebody may copy a name from the disk
    assert len({safe_name(name) for name in names}) == len(names)


def test_only_plain_names_can_differ_in_upper_and_lower_case_alone():
    names = {*ODD, *letters(20_000)}
    names |= {name.swapcase() for name in names}
    by_case = itertools.groupby(
        sorted(names, key=lambda name: safe_name(name).casefold()), lambda name: safe_name(name).casefold()
    )
    for _, same in by_case:
        same = list(same)
        assert len(same) == 1 or all(PLAIN.fullmatch(name) for name in same)


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("Dance/take 1.mp4", "take_1.mp4"), ("跳舞", "跳舞"), ("..", "name"), ("con", "_con"),
        ("a/nul.mp4", "_nul.mp4"), ("x" * 200, "x" * 40),
    ],
)  # fmt: skip
def test_what_is_readable_stays(name, readable):
    assert safe_name(name) == f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def test_names_that_people_take_for_the_same():
    for one, other in [
        ("Été", unicodedata.normalize("NFD", "éTÉ")),
        ("Straße", "STRASSE"),
        ("\u212b", "å"),
        ("ﬁt", "FIT"),
    ]:
        assert same_to_people(one) == same_to_people(other)
    assert same_to_people("Jump") != same_to_people("Jumps")


def test_natural_order():
    assert sorted(["take 10", "take 9", "Take 1", "10", "9", "a", "a1b2", "a1b10"], key=natural_key) == [
        "9", "10", "Take 1", "a", "a1b2", "a1b10", "take 9", "take 10"
    ]  # fmt: skip
    assert natural_key("7") != natural_key("07")
