"""UCF101's class names, its way of naming videos, and its official lists.

Source: Soomro, Zamir, Shah, "UCF101: A Dataset of 101 Human Actions Classes From Videos in The Wild", CRCV-TR-12-01,
2012, and the files of its "train/test splits for action recognition".
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError

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


def read_all_lists(lists: Path) -> list[ListedVideo]:
    """Return the videos of every list in the folder `lists`; a video comes as often as it is listed.

    Raises UserError if there is no list or a line is malformed.
    """
    paths = sorted([*Path(lists).glob("trainlist*.txt"), *Path(lists).glob("testlist*.txt")])
    if not paths:
        raise UserError(f"{lists} holds no trainlist0k.txt and no testlist0k.txt")
    return [video for path in paths for video in read_list(path)]


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


def select_classes(official: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return `wanted` in the order of `official`, or all of `official` if it is empty: positions are the labels.

    Raises UserError that gives the nearest spelling of a class that `official` does not have.
    """
    unknown = [name for name in wanted if name not in official]
    if unknown:
        first = "; ".join(unknown_class(name, official) for name in unknown[:3])
        more = f"; and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise UserError(f"dataset: classes: {first}{more}; classInd.txt of these lists has {_enumerate(official)}")
    return [name for name in official if name in wanted or not wanted]


def unknown_class(name: str, official: Sequence[str]) -> str:
    """Return in words that there is no class `name`, and which of `official` may have been meant."""
    by_lower_case = {known.lower(): known for known in official}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return f"there is no class {name}" + (f", did you mean {by_lower_case[near[0]]}?" if near else "")


def _enumerate(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    return f"{len(names)} classes: {shown}"


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
