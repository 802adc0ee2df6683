"""UCF101's class names, its way of naming videos, and its official lists.

Source: Soomro, Zamir, Shah, "UCF101: A Dataset of 101 Human Actions Classes From Videos in The Wild", CRCV-TR-12-01,
2012, and the files of its "train/test splits for action recognition".
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.dataset.video_table import DatasetVideo

# The order of classInd.txt, which ignores case: the labels are positions in it.
CLASSES = tuple(
    """
    ApplyEyeMakeup ApplyLipstick Archery BabyCrawling BalanceBeam BandMarching BaseballPitch Basketball BasketballDunk
    BenchPress Biking Billiards BlowDryHair BlowingCandles BodyWeightSquats Bowling BoxingPunchingBag BoxingSpeedBag
    BreastStroke BrushingTeeth CleanAndJerk CliffDiving CricketBowling CricketShot CuttingInKitchen Diving Drumming
    Fencing FieldHockeyPenalty FloorGymnastics FrisbeeCatch FrontCrawl GolfSwing Haircut Hammering HammerThrow
    HandstandPushups HandstandWalking HeadMassage HighJump HorseRace HorseRiding HulaHoop IceDancing JavelinThrow
    JugglingBalls JumpingJack JumpRope Kayaking Knitting LongJump Lunges MilitaryParade Mixing MoppingFloor Nunchucks
    ParallelBars PizzaTossing PlayingCello PlayingDaf PlayingDhol PlayingFlute PlayingGuitar PlayingPiano PlayingSitar
    PlayingTabla PlayingViolin PoleVault PommelHorse PullUps Punch PushUps Rafting RockClimbingIndoor RopeClimbing
    Rowing SalsaSpin ShavingBeard Shotput SkateBoarding Skiing Skijet SkyDiving SoccerJuggling SoccerPenalty StillRings
    SumoWrestling Surfing Swing TableTennisShot TaiChi TennisSwing ThrowDiscus TrampolineJumping Typing UnevenBars
    VolleyballSpiking WalkingWithDog WallPushups WritingOnBoard YoYo
    """.split()  # noqa: SIM905
)
OFFICIAL_LISTS_SHA256 = "5c0d1a53b8ed364a2ac830a73f405e51bece7d98ce1254fd19ed4a36b224bd27"  # of their archive
# The one class whose files are not named after it.
CLASS_OF_FILE_NAME = {"HandStandPushups": "HandstandPushups"}
VIDEO_NAME = re.compile(r"v_(?P<class_name>\w+)_g(?P<group>\d+)_c(?P<number>\d+)", re.ASCII)


class VideoName(NamedTuple):
    """What the name of a video says: its class (as in classInd.txt), its group and its number within the group."""

    class_name: str
    group: int
    number: int

    @classmethod
    @cache  # each video is in the lists of three splits
    def parse(cls, video: str) -> "VideoName":
        """Take `v_<Class>_gNN_cNN` apart. Raises UserError if `video` has another form."""
        match = VIDEO_NAME.fullmatch(video)
        if not match:
            raise UserError(f"video name {video!r} does not have the form v_<Class>_g<group>_c<clip>")
        class_name = match["class_name"]
        return cls(CLASS_OF_FILE_NAME.get(class_name, class_name), int(match["group"]), int(match["number"]))


class ListedVideo(NamedTuple):
    """One line of a train or test list; `label` is 0-based, and None where the list gives none (test lists)."""

    video: str
    class_name: str
    group: int
    label: int | None


def list_videos(lists: Path) -> list[DatasetVideo]:
    """Return every video that a train or test list in the folder `lists` names, by label, group and name.

    Raises UserError if a list is missing or malformed, or if the lists of a split contradict each other.
    """
    order = {name: label for label, name in enumerate(read_class_index(lists))}
    found: dict[ListedVideo, dict[int, str]] = {}
    for split in sorted({int(path.stem[-2:]) for path in list_paths(lists)}):
        for subset, listed in zip(("train", "test"), read_official_split(lists, split), strict=True):
            for video in listed:
                found.setdefault(video, {})[split] = subset
    in_order = sorted(found, key=lambda video: (order[video.class_name], video.group, video.video))
    return [DatasetVideo(video.video, video.class_name, str(video.group), found[video]) for video in in_order]


def read_class_index(lists: Path) -> list[str]:
    """Return the class names in `classInd.txt` of the folder `lists`, in the order of their labels.

    Raises UserError if a line is malformed, if labels are not 1, 2, 3 … or if a name comes twice.
    """
    path = Path(lists) / "classInd.txt"
    classes: list[str] = []
    for where, line in _lines(path):
        number, _, name = line.partition(" ")
        if number != str(len(classes) + 1) or not name.strip():
            raise UserError(f"{where}: expected '{len(classes) + 1} <class name>', found {line!r}")
        if name.strip() in classes:
            raise UserError(f"{where}: class {name.strip()} is listed twice")
        classes.append(name.strip())
    if not classes:
        raise UserError(f"{path} names no class")
    return classes


def read_list(path: Path) -> list[ListedVideo]:
    """Return the videos of a train or test list, in its order; lines read `<Class>/<video>.avi [1-based label]`.

    Raises UserError if a line is malformed, contradicts itself or repeats a video.
    """
    listed: dict[str, ListedVideo] = {}
    for where, line in _lines(Path(path)):
        file, _, label = line.partition(" ")
        folder, _, name = file.removeprefix("./").partition("/")  # pathlib would take most of a dry run's time
        if not name or "/" in name or (label and not label.isdecimal()):
            raise UserError(f"{where}: expected '<Class>/<video>.avi' and perhaps a label, found {line!r}")
        video = name.rpartition(".")[0] or name
        class_name, group, _ = VideoName.parse(video)
        if class_name != folder:
            raise UserError(f"{where}: {name} lies in the folder of another class, {folder}")
        if video in listed:
            raise UserError(f"{where}: video {video} is listed twice")
        listed[video] = ListedVideo(video, class_name, group, int(label) - 1 if label else None)
    return list(listed.values())


def list_paths(lists: Path) -> list[Path]:
    """Return the train and test lists in the folder `lists`. Raises UserError if there is none."""
    paths = sorted([*Path(lists).glob("trainlist[0-9][0-9].txt"), *Path(lists).glob("testlist[0-9][0-9].txt")])
    if not paths:
        raise UserError(f"{lists} holds no trainlist0k.txt and no testlist0k.txt")
    return paths


def read_all_lists(lists: Path) -> list[ListedVideo]:
    """Return the videos of every list in the folder `lists`; a video comes as often as it is listed.

    Raises UserError if there is no list or a line is malformed.
    """
    return [video for path in list_paths(lists) for video in read_list(path)]


def read_official_split(lists: Path, split: int) -> tuple[list[ListedVideo], list[ListedVideo]]:
    """Return training and test videos of official split `split` (1-based), with their labels by `classInd.txt`.

    Raises UserError if a file is missing or malformed, if a label contradicts `classInd.txt`, or if training and test
    list share a group: clips of one group come from one recording, so such an accuracy would mean nothing.
    """
    labels = {name: label for label, name in enumerate(read_class_index(lists))}
    subsets = []
    for path in (Path(lists) / f"trainlist{split:02d}.txt", Path(lists) / f"testlist{split:02d}.txt"):
        videos = read_list(path)
        for video in videos:
            if video.class_name not in labels:
                raise UserError(
                    f"{path}: {video.video} is of class {video.class_name}, which classInd.txt does not have"
                )
            if video.label not in (None, labels[video.class_name]):
                expected = labels[video.class_name] + 1
                raise UserError(f"{path}: {video.video} has label {video.label + 1}, by classInd.txt it is {expected}")
        subsets.append([ListedVideo(*video[:3], labels[video.class_name]) for video in videos])
    train, test = subsets
    shared = {(v.class_name, v.group) for v in train} & {(v.class_name, v.group) for v in test}
    if shared:
        class_name, group = min(shared)
        raise UserError(
            f"trainlist{split:02d}.txt and testlist{split:02d}.txt in {lists} share {len(shared)} group(s), such as "
            f"{class_name} g{group:02d}; a group must be whole in one of them"
        )
    return train, test


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of a list that are not empty, with their place for messages; official files end lines by CRLF."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist; the official lists are classInd.txt, trainlist0k.txt and testlist0k.txt"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file ({error})") from error
    place = str(path)
    for number, line in enumerate(text.splitlines(), 1):
        if words := line.split():
            yield f"{place} line {number}", " ".join(words)
