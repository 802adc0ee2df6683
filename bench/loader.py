"""Loading of training batches: the workflow's loader beside the reference's way, and beside a bare decoding loop.

All three make the reference recipe's clips of 16 frames of 112 × 112 pixels from the same videos, with two workers:

- the reference's way: PIL from JPEG files of the videos' size, normalised to float32, by Paddle's DataLoader with
  worker processes;
- the workflow: its loader, from packs of the default `frames:` or other ones, up to the batches that the training loop
  gets;
- the limit: one process per worker that decodes, crops and resizes JPEGs which are already in memory, and nothing else.

The three take turns, forwards and backwards, as each leaves caches and memory to the next; the median round of each
counts. Without --videos, clips like UCF101's are made first.

    python bench/loader.py [--videos <folder with <Class>/<video>.avi>] [--clips 2400] [--workers 2] [--rounds 8]
        [--short-side 240] [--quality 85]
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
from video3d.clips import spatial_crops
from video3d.clips.clip_reader import open_packs
from video3d.clips.temporal_sampling import segment_indices
from video3d.common.settings import ClipSettings, TrainSettings
from video3d.dataset.split_table import Video
from video3d.frames.extraction import Decoders
from video3d.frames.frame_pack import PackWriter
from video3d.training.batches import BatchSource, TrainingData
from video3d.training.randomness import generator

import numpy as np  # isort: skip  after video3d, which sets the environment
import paddle
from extraction import add_frames_arguments, make_clips, write_frames
from PIL import Image

BATCH, FRAMES, SIZE = 64, 16, 112
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


def make_packs(videos: list[Path], folder: Path, short_side: int, quality: int) -> list[Video]:
    """One pack with all videos, as the workflow extracts them."""
    table = []
    with PackWriter(folder / "Bench.zip") as pack, Decoders(videos, short_side, quality, 2) as decoders:
        for video, decoding in zip(videos, decoders, strict=True):
            facts = pack.add(video.stem, decoders.frames(decoding))
            table.append(Video(video.stem, "Bench", 0, 1, "train", facts.frames))
    return table


class ReferenceClips(paddle.io.Dataset):
    """The reference's way: a clip as float32 (3, 16, 112, 112) from JPEG files."""

    def __init__(self, folder: Path, videos: list[Video]):
        self.folder, self.videos = folder, videos

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> np.ndarray:
        """Decode, crop, resize and flip with PIL, normalise with NumPy."""
        video = self.videos[index]
        rng = generator(1, 1, str(index))
        paths = [self.folder / video.name / f"img_{i + 1:05d}.jpg" for i in segment_indices(video.frames, FRAMES, rng)]
        images = [Image.open(path).convert("RGB") for path in paths]
        box = spatial_crops.multi_scale_box(*images[0].size, SIZE, rng)
        corners = box.x, box.y, box.x + box.width, box.y + box.height
        images = [image.crop(corners).resize((SIZE, SIZE), Image.BILINEAR) for image in images]
        if rng.random() < 0.5:
            images = [image.transpose(Image.FLIP_LEFT_RIGHT) for image in images]
        clip = np.stack([np.asarray(image, np.float32) / 255 for image in images])
        return ((clip - MEAN) / STD).transpose(3, 0, 1, 2)


def load_as_reference(folder: Path, videos: list[Video], workers: int) -> int:
    """Read every batch through Paddle's DataLoader."""
    dataset = ReferenceClips(folder, videos)
    loader = paddle.io.DataLoader(dataset, batch_size=BATCH, drop_last=True, num_workers=workers, return_list=True)
    return sum(len(clips) for clips in loader)


def prepare(folder: Path, videos: list[Video], workers: int) -> BatchSource:
    """What a training has when its first epoch begins."""
    data = TrainingData(["Bench"], videos, [], open_packs(folder, videos))
    return BatchSource(data, ClipSettings(), TrainSettings(), seed=1, workers=workers)


def load_as_workflow(batches: BatchSource) -> int:
    """Read every batch as the training loop does."""
    return sum(len(batch.clips) for batch in batches.training(1, batches.order(1)))


def decode_only(folder: Path, videos: list[Video]) -> float:
    """Seconds for decoding, cropping and resizing the clips of `videos`, one after the other, from memory."""
    pack = open_packs(folder, videos)["Bench"]
    work = []
    for video in videos:
        rng = generator(1, 1, video.name)  # the draws of training_request, so that both do the same work
        jpegs = [bytes(jpeg) for jpeg in pack.jpegs(video.name, segment_indices(video.frames, FRAMES, rng).tolist())]
        flip = rng.random() < 0.5
        height, width, _ = spatial_crops.decode(jpegs[0]).shape
        work.append((jpegs, spatial_crops.multi_scale_box(width, height, SIZE, rng), flip))
    clip = np.empty((FRAMES, SIZE, SIZE, 3), np.uint8)
    start = time.perf_counter()
    for jpegs, box, flip in work:
        crop_resize, image = spatial_crops.crop_resizer(box, SIZE), None
        for frame, jpeg in zip(clip, jpegs, strict=True):
            image = spatial_crops.decode(jpeg, image)
            crop_resize(image, frame)
        if flip:
            spatial_crops.mirror(clip)
    return time.perf_counter() - start


def limit(folder: Path, videos: list[Video], workers: int) -> float:
    """Clips per second of as many bare loops at once as there are workers, each with its share of the videos."""
    shares = [videos[index::workers] for index in range(workers)]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(abs, range(workers)))  # the processes are there before the clock starts
        seconds = list(pool.map(decode_only, [folder] * workers, shares))
    return sum(len(share) / second for share, second in zip(shares, seconds, strict=True))


def rate(load: Callable[..., int], *arguments: object) -> float:
    """Clips per second."""
    start = time.perf_counter()
    return load(*arguments) / (time.perf_counter() - start)


def main() -> None:
    """Parse the arguments, measure in turns, print the rates and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, help="folder with <Class>/<video>.avi")
    parser.add_argument("--clips", type=int, default=2400, help="clips per round (default: 2400)")
    parser.add_argument("--workers", type=int, default=2, help="threads or processes that load (default: 2)")
    parser.add_argument("--rounds", type=int, default=8, help="rounds; the median counts (default: 8)")
    add_frames_arguments(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        files = sorted(arguments.videos.glob("*/*.avi")) if arguments.videos else make_clips(scratch)
        for file in files:
            write_frames(file, scratch / file.stem)
        table = make_packs(files, scratch, arguments.short_side, arguments.quality)
        videos = (table * (arguments.clips // len(table) + 1))[: arguments.clips]
        batches = prepare(scratch, videos, arguments.workers)
        ways = {
            "reference": lambda: rate(load_as_reference, scratch, videos[: len(videos) // 10], arguments.workers),
            "workflow": lambda: rate(load_as_workflow, batches),
            "limit": lambda: limit(scratch, videos, arguments.workers),
        }
        rates = {name: [] for name in ways}
        for number in range(arguments.rounds):
            for name in list(ways)[:: -1 if number % 2 else 1]:
                rates[name].append(ways[name]())
    middle = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        print(f"{name:10} {middle[name]:7.1f} clips/s   rounds: {', '.join(f'{value:.0f}' for value in values)}")
    sizes = (
        f"{len(files)} videos at {arguments.short_side} px, quality {arguments.quality}; {arguments.workers} workers, "
    )
    sizes += f"batches of {BATCH} × {FRAMES} × {SIZE} × {SIZE}"
    print(
        f"ratio loader_vs_reference {middle['workflow'] / middle['reference']:.2f}  "
        f"(workflow over PIL from 320 × 240 JPEG files in Paddle's DataLoader, {sizes})"
    )
    print(
        f"ratio loader_vs_limit {middle['workflow'] / middle['limit']:.2f}  "
        f"(workflow over bare decode-crop-resize loops, one per worker, {sizes})"
    )


if __name__ == "__main__":
    main()
