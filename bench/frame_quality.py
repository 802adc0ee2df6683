"""Bytes per frame, and the loss of stored frames against the original ones, by short side and JPEG quality.

Compared is what the network sees: a crop of 112 × 112 pixels, taken once from the stored frame and once, by the same
code, from the frame as OpenCV decodes it from the video. `full` is the largest crop, the whole short side; `smallest`
is the smallest one of the reference recipe, 0.66 of the short side. Both lie in the top left corner, where their
borders fall on the same points of the picture at every size. PSNR is that of the mean squared error over all pixels;
SSIM is that of the luma with a Gaussian window of 11 × 11 (Wang et al., "Image Quality Assessment", IEEE TIP 2004).

    python bench/frame_quality.py --videos <folder with <Class>/<video>.avi>
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
from video3d.frames import Decoders

SIZE = 112
SETTINGS = [(240, 90), (240, 80), (170, 95), (170, 90), (170, 85), (170, 80), (170, 70), (128, 80), (112, 80)]
CROPS = {"full": 1.0, "smallest": 0.66}


def original_crops(videos: Sequence[Path], every: int) -> dict[str, np.ndarray]:
    """Crops of every `every`-th frame of the videos: uint8 (frames, 112, 112, 3) by crop."""
    frames = []
    for video in videos:
        capture = cv2.VideoCapture(str(video))
        index = 0
        while capture.grab():
            if index % every == 0:
                frames.append(crops(capture.retrieve()[1]))
            index += 1
    return stack(frames)


def stored_crops(videos: Sequence[Path], every: int, short_side: int, quality: int) -> tuple[dict, float]:
    """The same of the frames as they would be stored, and their mean size in bytes, over all frames."""
    frames, sizes = [], []
    with Decoders(videos, short_side, quality, threads=2) as decoders:
        for decoding in decoders:
            for index, jpeg in enumerate(decoders.frames(decoding)):
                sizes.append(len(jpeg))
                if index % every == 0:
                    frames.append(crops(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)))
    return stack(frames), float(np.mean(sizes))


def crops(frame: np.ndarray) -> dict[str, np.ndarray]:
    """The crops of one frame, resized as the loader resizes them."""
    taken = {}
    for name, scale in CROPS.items():
        side = int(min(frame.shape[:2]) * scale)
        interpolation = cv2.INTER_AREA if side >= 2 * SIZE else cv2.INTER_LINEAR
        taken[name] = cv2.resize(frame[:side, :side], (SIZE, SIZE), interpolation=interpolation)
    return taken


def stack(frames: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One array per crop."""
    return {name: np.stack([frame[name] for frame in frames]) for name in CROPS}


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / np.mean((a.astype(np.float32) - b) ** 2)))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean structural similarity of two arrays of BGR pictures."""
    return float(np.mean([_ssim(*pair) for pair in zip(_lumas(a), _lumas(b), strict=True)]))


def _lumas(pictures: np.ndarray) -> Iterator[np.ndarray]:
    return (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) for picture in pictures)


def _ssim(x: np.ndarray, y: np.ndarray) -> float:
    def mean(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (11, 11), 1.5)[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, covariance = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return float(np.mean((2 * mx * my + c1) * (2 * covariance + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True, help="folder with <Class>/<video>.avi")
    parser.add_argument("--every", type=int, default=20, help="compare every n-th frame (default: 20)")
    arguments = parser.parse_args()
    videos = sorted(arguments.videos.glob("*/*.avi"))
    original = original_crops(videos, arguments.every)
    print(f"{len(videos)} videos, {len(original['full'])} frames compared")
    print("short side  quality  bytes/frame" + "".join(f"  {n:>8} PSNR dB   SSIM" for n in CROPS))
    for short_side, quality in SETTINGS:
        stored, size = stored_crops(videos, arguments.every, short_side, quality)
        values = "".join(f"  {psnr(original[n], stored[n]):16.2f} {ssim(original[n], stored[n]):6.4f}" for n in CROPS)
        print(f"{short_side:10}  {quality:7}  {size:11.0f}{values}")


if __name__ == "__main__":
    main()
