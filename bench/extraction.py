"""Extraction of frames: the workflow's script beside bare ffmpeg processes, and beside OpenCV.

All three use every core. Bare ffmpeg decodes and scales the same way and encodes by itself, into one file of JPEGs per
video, at a quality that makes them about as large as ours of quality 85; OpenCV decodes and writes JPEG files at the
size of the video, as the reference implementation does. Without --videos, clips like UCF101's
are made first.

    python bench/extraction.py [--videos <folder with <Class>/<video>.avi>] [--clips 200] [--rounds 3]
        [--short-side 240] [--quality 85]
"""

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
from video3d.common.settings import FramesSettings
from video3d.frames.ffmpeg import SCALER, ffmpeg_program

SCRIPT = Path(__file__).parents[1] / "workflow_scripts" / "extract_frames.py"
QUALITY_OF_FFMPEG = 3
CORES = len(os.sched_getaffinity(0))


def make_clips(folder: Path, count: int = 8) -> list[Path]:
    """Clips of 186 frames (the mean of UCF101) of 320 × 240 pixels at 25 frames per second, MPEG-4."""
    clips = [folder / f"v_Made_g{index:02d}_c01.avi" for index in range(1, count + 1)]
    for index, clip in enumerate(clips):
        source = f"mandelbrot=size=320x240:rate=25:start_scale={0.5 / (index + 1)},noise=alls=6:allf=t"
        command = [ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "186"]
        subprocess.run([*command, "-c:v", "mpeg4", "-q:v", "5", clip], check=True)
    return clips


def make_classes(folder: Path, videos: Sequence[Path], clips: int) -> list[Path]:
    """One class of links to videos per core, together `clips` of them; a class of UCF101 has 132 on average."""
    classes = [folder / f"Class{core}" for core in range(CORES)]
    for path in classes:
        path.mkdir()
    for index, video in zip(range(clips), itertools.cycle(videos), strict=False):
        (classes[index % CORES] / f"v_Class{index % CORES}_g{index:04d}_c01.avi").symlink_to(video.resolve())
    return classes


def add_frames_arguments(parser: argparse.ArgumentParser) -> None:
    """How frames are stored, by default as the config has it."""
    frames = FramesSettings()
    parser.add_argument("--short-side", type=int, default=frames.short_side, help="pixels (default: %(default)s)")
    parser.add_argument("--quality", type=int, default=frames.quality, help="of the JPEGs (default: %(default)s)")


def extract_by_workflow(classes: Sequence[Path], output: Path, short_side: int, quality: int) -> None:
    """One job per class and core, as Snakemake runs them."""
    settings = f"{{frames: {{short_side: {short_side}, quality: {quality}}}}}"
    jobs = []
    for videos in classes:
        files = [
            "--videos",
            videos,
            "--pack",
            output / f"{videos.name}.zip",
            "--manifest",
            output / f"{videos.name}.csv",
        ]
        command = [sys.executable, SCRIPT, *files, "--settings", settings]
        jobs.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
    if any([job.wait() for job in jobs]):
        raise RuntimeError("an extraction failed")


def extract_by_ffmpeg(classes: Sequence[Path], output: Path, short_side: int) -> None:
    """One ffmpeg process per video, one at a time on every core, each writing its JPEGs into one file."""
    with ThreadPoolExecutor(CORES) as pool:
        videos = [video for folder in classes for video in folder.iterdir()]
        targets = [output / f"{video.stem}.mjpeg" for video in videos]
        list(pool.map(run_ffmpeg, videos, targets, itertools.repeat(short_side)))


def run_ffmpeg(video: Path, target: Path, short_side: int) -> None:
    """Decode, scale and encode within one process of one thread per stage."""
    scale = f"scale=-1:{short_side}:flags={SCALER}"
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-an", "-threads", "1", "-i", video, "-filter_threads", "1"]
    encode = ["-c:v", "mjpeg", "-q:v", str(QUALITY_OF_FFMPEG), "-huffman", "default", "-threads", "1"]
    write = ["-f", "image2pipe", "-flush_packets", "0", "-fps_mode", "passthrough", target]
    subprocess.run([*command, "-vf", scale, *encode, *write], check=True)


def extract_by_opencv(classes: Sequence[Path], output: Path) -> None:
    """Decode and write with OpenCV, one process per core."""
    videos = [video for folder in classes for video in folder.iterdir()]
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(write_frames, videos, [output / video.stem for video in videos]))


def write_frames(video: Path, folder: Path) -> None:
    """All frames of one video as JPEG files of its own size."""
    folder.mkdir()
    capture = cv2.VideoCapture(str(video))
    index = 0
    while True:
        decoded, frame = capture.read()
        if not decoded:
            return
        index += 1
        cv2.imwrite(str(folder / f"img_{index:05d}.jpg"), frame)


def seconds(extract: Callable[[Sequence[Path], Path], None], classes: Sequence[Path], scratch: Path) -> float:
    """Wall time of one way to extract; its output is thrown away."""
    output = scratch / "output"
    output.mkdir()
    start = time.perf_counter()
    extract(classes, output)
    elapsed = time.perf_counter() - start
    shutil.rmtree(output)
    return elapsed


def main() -> None:
    """Parse the arguments, measure in turns, print the rates and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, help="folder with <Class>/<video>.avi")
    parser.add_argument("--clips", type=int, default=200, help="clips per round (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the fastest counts (default: 3)")
    add_frames_arguments(parser)
    arguments = parser.parse_args()
    ways = {
        "workflow": partial(extract_by_workflow, short_side=arguments.short_side, quality=arguments.quality),
        "bare ffmpeg": partial(extract_by_ffmpeg, short_side=arguments.short_side),
        "OpenCV": extract_by_opencv,
    }
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        videos = sorted(arguments.videos.glob("*/*.avi")) if arguments.videos else make_clips(scratch)
        classes = make_classes(scratch, videos, arguments.clips)
        times = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, way in ways.items():
                times[name].append(seconds(way, classes, scratch))
    best = {name: min(rounds) for name, rounds in times.items()}
    for name, value in best.items():
        print(
            f"{name:12} {arguments.clips / value:7.1f} clips/s   rounds: {', '.join(f'{t:.1f} s' for t in times[name])}"
        )
    sizes = f"{arguments.clips} clips, {CORES} cores, JPEG quality {arguments.quality} at {arguments.short_side} px"
    print(f"ratio extract_vs_ffmpeg {best['bare ffmpeg'] / best['workflow']:.2f}  (workflow over bare ffmpeg, {sizes})")
    print(
        f"ratio extract_vs_opencv {best['OpenCV'] / best['workflow']:.2f}  "
        f"(workflow over OpenCV decode-and-write at the video's size, {sizes})"
    )


if __name__ == "__main__":
    main()
