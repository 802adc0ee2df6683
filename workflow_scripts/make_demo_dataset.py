"""Make the demo data set: 600 short videos that look like UCF101 to the workflow and differ only in their motion.

Out: two archives of UCF101's shape, UCF101_demo_videos.zip (UCF101/v_<Class>_gNN_cNN.avi, all in one folder) and
UCF101_demo_lists.zip (ucfTrainTestlist/classInd.txt, trainlist01.txt, testlist01.txt, …). The same bytes every time.

A bright shape on a darker background does one of six things:

    Grow, Shrink           its size changes
    SlideRight, SlideLeft  its horizontal position changes
    SlideDown, SlideUp     its vertical position changes

No single frame tells the class. The property that moves passes evenly through a range that is drawn for the video; the
two that stand still are drawn from the same kind of range. So a frame taken at a random time has the same distribution
of sizes and positions in all six classes. And the second class of a pair is the first one played backwards, made of
the very same pictures: what tells them apart is the order of the frames alone. (Only if it is known to be the first or
the last of its video does a frame tell something: what is about to grow is small.)

The codec is Motion JPEG because it compresses each picture by itself: one that predicts a picture from those before
would leave traces of the direction in it. A group, as in UCF101, is a common look: shape, colours and background.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from video3d.common.console import progress, run
from video3d.common.errors import UserError
from video3d.common.stored_zip import StoredZip

VIDEOS_ARCHIVE = "UCF101_demo_videos.zip"
LISTS_ARCHIVE = "UCF101_demo_lists.zip"

MOTIONS = {  # what changes, in the first class upwards and in the second downwards
    "size": ("Grow", "Shrink"),
    "x": ("SlideRight", "SlideLeft"),
    "y": ("SlideDown", "SlideUp"),
}
CLASSES = sorted((name for pair in MOTIONS.values() for name in pair), key=str.lower)  # UCF101's order
GROUPS = range(1, 26)
TEST_GROUPS = {1: range(1, 8), 2: range(8, 15), 3: range(15, 22)}
VIDEOS_PER_GROUP = 4

WIDTH, HEIGHT = 96, 72
FRAMES = 24
FRAMES_PER_SECOND = 25
JPEG_QUALITY = 90
NOISE = 6.0  # standard deviation of a pixel's brightness

# Of every property: its value in the middle of a video, and by how much it changes over the whole video, in pixels;
# the size is the natural logarithm of a radius in pixels.
MIDDLES = {"size": (np.log(10), np.log(15)), "x": (WIDTH / 2 - 6, WIDTH / 2 + 6), "y": (HEIGHT / 2 - 6, HEIGHT / 2 + 6)}
CHANGES = {"size": (np.log(1.8), np.log(2.5)), "x": (26, 38), "y": (26, 38)}

# Outlines around (0, 0) within radius 1, x to the right and y down.
ARC = np.linspace(0, 2 * np.pi, 24, endpoint=False)
SHAPES = [
    np.array([[1, 0], [0, 0.8], [0, 0.3], [-0.9, 0.3], [-0.9, -0.3], [0, -0.3], [0, -0.8]]),  # arrow
    np.array([[-0.6, -0.8], [-0.1, -0.8], [-0.1, 0.3], [0.7, 0.3], [0.7, 0.7], [-0.6, 0.7]]),  # L
    np.array([[1, 0], [-0.8, 0.6], [-0.8, -0.6]]),  # triangle
    np.array([[0.7, 0.7], [0.7, -0.7], [-0.7, -0.7], [-0.7, 0.7]]),  # square
    0.85 * np.stack([np.cos(ARC), np.sin(ARC)], axis=1),  # disc
]
BACKGROUNDS = [(2, 2), (1, 7), (6, 1), (4, 5)]  # rows and columns of random shades: slope, bars, bands, patches


class Look(NamedTuple):
    """What the videos of a group have in common; colours are BGR in 0..255."""

    outline: np.ndarray
    colour: np.ndarray
    background_colour: np.ndarray
    background_grid: tuple[int, int]


def group_look(name: str, group: int) -> Look:
    """Draw the look of a group of a class: any shape and colours, the shape brighter than its background."""
    rng = np.random.default_rng([*name.encode(), group])
    return Look(
        outline=SHAPES[rng.integers(len(SHAPES))],
        colour=rng.uniform(150, 255, 3),
        background_colour=rng.uniform(20, 90, 3),
        background_grid=BACKGROUNDS[rng.integers(len(BACKGROUNDS))],
    )


def draw_path(moving: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the value of each property in every frame, float64 (FRAMES,): one runs through its range, the others stay.

    A property that stays has the value that it would have at a random time of such a run.
    """
    moments = np.linspace(-0.5, 0.5, FRAMES)
    path = {}
    for name in MOTIONS:
        moment = moments if name == moving else np.full(FRAMES, rng.uniform(-0.5, 0.5))
        path[name] = rng.uniform(*MIDDLES[name]) + moment * rng.uniform(*CHANGES[name])
    return path


def render_video(moving: str, group: int, number: int) -> np.ndarray:
    """Render a video of the first class of a pair, uint8 (FRAMES, HEIGHT, WIDTH, BGR).

    Played backwards it is the video of the second class.
    """
    look = group_look(moving, group)
    rng = np.random.default_rng([*moving.encode(), group, number])
    path = draw_path(moving, rng)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shades = rng.uniform(-20, 20, (*look.background_grid, 1)) + look.background_colour
    background = cv2.resize(np.broadcast_to(shades, (*look.background_grid, 3)), (WIDTH, HEIGHT))
    frames = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    for frame, size, x, y in zip(frames, path["size"], path["x"], path["y"], strict=True):
        picture = draw_shape(background, np.exp(size) * look.outline @ turn + [x, y], look.colour)
        frame[:] = np.clip(picture + rng.normal(0, NOISE, (HEIGHT, WIDTH, 1)), 0, 255)
    return frames


def draw_shape(background: np.ndarray, outline: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Draw a polygon on a copy of `background` (float, HEIGHT × WIDTH × BGR); `outline` is (corners, 2) in pixels."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return background + mask[..., None] / 255 * (colour - background)


def write_video(path: Path, frames: np.ndarray) -> None:
    """Write `frames` (uint8, T × height × width × BGR) to an AVI in which every picture is compressed by itself."""
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    size = (frames.shape[2], frames.shape[1])
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, codec, FRAMES_PER_SECOND, size)
    if not writer.isOpened():
        raise UserError(f"OpenCV {cv2.__version__} cannot write a Motion JPEG video to {path}")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, JPEG_QUALITY)
    for frame in frames:
        writer.write(frame)
    writer.release()


def video_name(class_name: str, group: int, number: int) -> str:
    """Return UCF101's name of a video, e.g. v_Grow_g01_c02."""
    return f"v_{class_name}_g{group:02d}_c{number:02d}"


def write_pair(folder: Path, moving: str, group: int, number: int) -> None:
    """Write the video of both classes of a pair: the same pictures, forwards and backwards."""
    frames = render_video(moving, group, number)
    for name, ordered in zip(MOTIONS[moving], (frames, frames[::-1]), strict=True):
        write_video(folder / f"{video_name(name, group, number)}.avi", ordered)


def list_entries(groups: Iterable[int], videos_per_group: int) -> Iterator[tuple[int, str]]:
    """Yield label (from 1) and list entry of every video of `groups`, in the order of UCF101's lists."""
    for label, name in enumerate(CLASSES, start=1):
        for group in groups:
            for number in range(1, videos_per_group + 1):
                yield label, f"{name}/{video_name(name, group, number)}.avi"


def list_files(videos_per_group: int) -> dict[str, str]:
    """Return name and text of every list file, in UCF101's format: CRLF, labels in the train lists only."""
    files = {"classInd.txt": [f"{label} {name}" for label, name in enumerate(CLASSES, start=1)]}
    for split, test_groups in TEST_GROUPS.items():
        train_groups = [group for group in GROUPS if group not in test_groups]
        files[f"trainlist{split:02d}.txt"] = [
            f"{entry} {label}" for label, entry in list_entries(train_groups, videos_per_group)
        ]
        files[f"testlist{split:02d}.txt"] = [entry for _, entry in list_entries(test_groups, videos_per_group)]
    return {name: "".join(f"{line}\r\n" for line in lines) for name, lines in files.items()}


def make_demo_dataset(folder: Path, videos_per_group: int = VIDEOS_PER_GROUP, threads: int = 2) -> None:
    """Write the archive of videos and the archive of lists to `folder`."""
    numbers = range(1, videos_per_group + 1)
    pairs = [(moving, group, number) for moving in MOTIONS for group in GROUPS for number in numbers]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(threads) as pool:
        videos = Path(scratch)
        written = pool.map(lambda pair: write_pair(videos, *pair), pairs)
        for _ in progress(written, total=len(pairs), unit="pair", description="demo videos"):
            pass
        with StoredZip(folder / VIDEOS_ARCHIVE) as archive:
            for file in sorted(videos.iterdir()):
                archive.add(f"UCF101/{file.name}", file.read_bytes())
    with StoredZip(folder / LISTS_ARCHIVE) as archive:
        for name, text in list_files(videos_per_group).items():
            archive.add(f"ucfTrainTestlist/{name}", text.encode())


def main() -> None:
    """Make the data set and write its two archives."""
    arguments = parse_arguments()
    make_demo_dataset(arguments.output)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder that gets the two archives")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
