"""Make the demo data set: 600 short videos that look like UCF101 to the workflow and differ only in their motion.

Out: two archives of UCF101's shape, UCF101_demo_videos.zip (UCF101/v_<Class>_gNN_cNN.avi, all in one folder) and
UCF101_demo_lists.zip (ucfTrainTestlist/classInd.txt, trainlist01.txt, testlist01.txt, …). The same bytes every time.

No single frame tells the class. A shape slides steadily in one of six directions; where it leaves a field in the middle
of the picture, it starts over at the opposite edge of the field. Where it is in the middle of the video is drawn
uniformly from the field, and a position drawn uniformly from a field with joined edges is again uniform after a step of
any length in any direction. So the k-th frame of a video has the same distribution in all classes, for every k, the
first and the last included: the class decides the direction of the motion, and nothing else. What is more, the second
class of a pair is the first one played backwards, made of the very same pictures, and the videos of the same group and
number share their middle frame in all classes.

The codec is Motion JPEG because it compresses each picture by itself: one that predicts a picture from those before it
would leave traces of the direction in it.

A group is a common look, as in UCF101: shape, colours and kind of background. Group 7 looks the same in all classes.
"""

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from video3d.console import UserError, progress, run
from video3d.files import atomic_path

VIDEOS_ARCHIVE = "UCF101_demo_videos.zip"
LISTS_ARCHIVE = "UCF101_demo_lists.zip"

# Pairs of opposite classes, and in degrees where the first one slides: 0 is to the right, 90 down.
DIRECTIONS = {
    ("SlideRight", "SlideLeft"): 0,
    ("SlideDownRight", "SlideUpLeft"): 60,
    ("SlideDownLeft", "SlideUpRight"): 120,
}
CLASSES = sorted((name for pair in DIRECTIONS for name in pair), key=str.lower)  # UCF101's order
GROUPS = range(1, 26)
TEST_GROUPS = {1: range(1, 8), 2: range(8, 15), 3: range(15, 22)}
CLIPS_PER_GROUP = 4

WIDTH, HEIGHT = 96, 72
FIELD = np.array([[20.0, 10.0], [76.0, 62.0]])  # where the middle of the shape may be: least and greatest x and y
FRAMES = 25  # odd, so that a video played backwards has the same middle frame
FRAMES_PER_SECOND = 25
SPEED = (1.2, 1.8)  # pixels per frame
RADIUS = (18.0, 32.0)  # pixels
NOISE = 4.0  # standard deviation of a pixel's brightness
JPEG_QUALITY = 90

# Outlines around (0, 0) within distance 1.
ARC = np.linspace(0, 2 * np.pi, 32, endpoint=False)
DISC = np.stack([np.cos(ARC), np.sin(ARC)], axis=1)
SHAPES = [
    DISC,
    DISC[:17] * [0.9, 0.9] - [0, 0.4],  # half a disc
    DISC[:30:11],  # triangle
    DISC[::8],  # square
    np.array([[0.9, 0.43], [-0.9, 0.43], [-0.9, -0.43], [0.9, -0.43]]),  # bar
]
BACKGROUNDS = [(2, 2), (1, 7), (6, 1), (4, 5)]  # rows and columns of random shades: slope, bars, bands, patches


class Look(NamedTuple):
    """What the videos of a group have in common; colours are BGR in 0..255."""

    shape: np.ndarray
    colour: np.ndarray
    background_colour: np.ndarray
    background_grid: tuple[int, int]


def group_look(group: int) -> Look:
    """The look of a group: any shape and colours, the shape brighter than the background in every channel."""
    rng = np.random.default_rng([group])
    return Look(
        shape=SHAPES[rng.integers(len(SHAPES))],
        colour=rng.uniform(160, 255, 3),
        background_colour=rng.uniform(20, 80, 3),
        background_grid=BACKGROUNDS[rng.integers(len(BACKGROUNDS))],
    )


def render_video(degrees: float, group: int, clip: int) -> np.ndarray:
    """The frames of a video whose shape slides in a direction: uint8 (FRAMES, HEIGHT, WIDTH, BGR).

    Everything that is random depends on group and clip alone, so the videos of all directions share the middle frame.
    The video of the opposite direction is the same array in reverse order.
    """
    look = group_look(group)
    rng = np.random.default_rng([group, clip])
    path = shape_centres(rng.uniform(*FIELD), degrees, rng.uniform(*SPEED))
    angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(*RADIUS)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    outline = radius * look.shape @ turn
    background = draw_background(look, rng)
    frames = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    for frame, centre in zip(frames, path, strict=True):
        opacity = draw_mask(outline + centre)
        noise = rng.normal(0, NOISE, (HEIGHT, WIDTH, 1))
        frame[:] = np.clip(background + opacity * (look.colour - background) + noise, 0, 255)
    return frames


def shape_centres(middle: np.ndarray, degrees: float, speed: float) -> np.ndarray:
    """Where the shape is in each frame, float64 (FRAMES, 2) of x and y: at `middle` in the middle frame.

    It moves `speed` pixels per frame and starts over at the opposite edge when it leaves the field.
    """
    time = np.arange(FRAMES) - FRAMES // 2
    direction = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    least, greatest = FIELD
    return least + (middle - least + speed * time[:, None] * direction) % (greatest - least)


def draw_mask(outline: np.ndarray) -> np.ndarray:
    """Opacity of a filled outline, 0..1, float64 (HEIGHT, WIDTH, 1), its edge smooth."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask[..., None] / 255


def draw_background(look: Look, rng: np.random.Generator) -> np.ndarray:
    """A background of the group's kind and colour, float64 (HEIGHT, WIDTH, BGR)."""
    shades = look.background_colour + rng.uniform(-20, 20, (*look.background_grid, 1))
    return cv2.resize(shades, (WIDTH, HEIGHT))


def write_video(path: Path, frames: np.ndarray) -> None:
    """Write `frames` (uint8, T × height × width × BGR) to an AVI in which every picture is compressed by itself."""
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    size = (frames.shape[2], frames.shape[1])
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, codec, FRAMES_PER_SECOND, size)
    if not writer.isOpened():
        raise UserError(f"OpenCV {cv2.__version__} cannot write a Motion JPEG video to {path}")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, JPEG_QUALITY)
    for frame in frames:
        writer.write(frame)
    writer.release()


def video_name(name: str, group: int, clip: int) -> str:
    """UCF101's name of a video, e.g. v_SlideLeft_g01_c02."""
    return f"v_{name}_g{group:02d}_c{clip:02d}"


def write_pair(folder: Path, pair: tuple[str, str], group: int, clip: int) -> None:
    """Write the video of both classes of a pair: the same pictures, forwards and backwards."""
    frames = render_video(DIRECTIONS[pair], group, clip)
    for name, ordered in zip(pair, (frames, frames[::-1]), strict=True):
        write_video(folder / f"{video_name(name, group, clip)}.avi", ordered)


def listed(groups: Iterable[int], clips: int) -> Iterator[tuple[int, str]]:
    """Label (from 1) and list entry of every video of `groups`, in the order of UCF101's lists."""
    for label, name in enumerate(CLASSES, start=1):
        for group in groups:
            for clip in range(1, clips + 1):
                yield label, f"{name}/{video_name(name, group, clip)}.avi"


def list_files(clips: int) -> dict[str, str]:
    """Name and text of every list file, in UCF101's format: CRLF, labels in the train lists only."""
    files = {"classInd.txt": [f"{label} {name}" for label, name in enumerate(CLASSES, start=1)]}
    for split, test_groups in TEST_GROUPS.items():
        train_groups = [group for group in GROUPS if group not in test_groups]
        files[f"trainlist{split:02d}.txt"] = [f"{entry} {label}" for label, entry in listed(train_groups, clips)]
        files[f"testlist{split:02d}.txt"] = [entry for _, entry in listed(test_groups, clips)]
    return {name: "".join(f"{line}\r\n" for line in lines) for name, lines in files.items()}


def write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write a ZIP archive whose bytes depend on nothing but `members`: no dates, nothing of the file system."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, date_time=(2012, 1, 1, 0, 0, 0)), content)


def make_demo_dataset(folder: Path, clips: int = CLIPS_PER_GROUP, threads: int = 2) -> None:
    """Write the archive of videos and the archive of lists to `folder`; `clips` videos per group and class."""
    jobs = [(pair, group, clip) for pair in DIRECTIONS for group in GROUPS for clip in range(1, clips + 1)]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(threads) as pool:
        videos = Path(scratch)
        written = pool.map(lambda job: write_pair(videos, *job), jobs)
        for _ in progress(written, total=len(jobs), unit="pair", description="demo videos"):
            pass
        files = sorted(videos.iterdir())
        write_zip(folder / VIDEOS_ARCHIVE, ((f"UCF101/{file.name}", file.read_bytes()) for file in files))
    lists = list_files(clips).items()
    write_zip(folder / LISTS_ARCHIVE, ((f"ucfTrainTestlist/{name}", text.encode()) for name, text in lists))


def main() -> None:
    """Parse the arguments and write the archives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder that gets the two archives")
    parser.add_argument("--threads", type=int, default=2, help="videos made at once")
    arguments = parser.parse_args()
    make_demo_dataset(arguments.output, threads=arguments.threads)


if __name__ == "__main__":
    sys.exit(run(main))
