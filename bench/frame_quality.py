"""How near the pictures that the network sees are to the reference implementation's, by the stored frames.

The reference's pictures are crops, resized by Pillow (bilinear), of frames that OpenCV decoded and wrote as JPEG of
quality 95 at the size of the video. Ours are the same crops of frames as the workflow stores them, by short side and
JPEG quality, resized by the workflow's function; in the rows called `pillow` resized by Pillow, and in those called
`first` as version 0.1 did. Compared are the middle frames of all videos, in centred squares of the four scales of the
reference recipe's crops (of 240 and of, say, 170 pixels such a square is not to the pixel the same). PSNR is that of
the mean squared error over all pixels; sharpness is the variance of the Laplacian of the luma over that of the
reference's picture. Bytes are those of all frames of the videos.

    python bench/frame_quality.py --videos <folder with <Class>/<video>.avi>
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
from outcome import RESIZERS

from video3d.clips.spatial_crops import MULTI_SCALE_FACTORS, decode
from video3d.frames.extraction import Decoders

SETTINGS = [(short_side, quality) for short_side in (170, 200, 240) for quality in (85, 90, 95)]
ROWS = [(*(170, 85), "first"), (*(170, 85), "pillow"), *((*setting, "triangle") for setting in SETTINGS)]
SIZES = (112, 56)
FRAMES_OF_UCF101 = 2.48e6
REFERENCE_QUALITY = 95


def reference_frame(video: Path) -> np.ndarray:
    """The middle frame of a video as the reference stores it, uint8 RGB (H, W, 3)."""
    capture = cv2.VideoCapture(str(video))
    frames = []
    while True:
        decoded, frame = capture.read()
        if not decoded:
            break
        frames.append(frame)
    _, jpeg = cv2.imencode(".jpg", frames[len(frames) // 2], [cv2.IMWRITE_JPEG_QUALITY, REFERENCE_QUALITY])
    return decode(jpeg.tobytes())


def stored_frames(videos: Sequence[Path], short_side: int, quality: int) -> tuple[list[np.ndarray], float]:
    """The same frames as the workflow stores them, and the mean size in bytes of all frames."""
    frames, sizes = [], []
    with Decoders(videos, short_side, quality, threads=2) as decoders:
        for decoding in decoders:
            jpegs = list(decoders.frames(decoding))
            frames.append(decode(jpegs[len(jpegs) // 2]))
            sizes += map(len, jpegs)
    return frames, float(np.mean(sizes))


def pictures(frames: Sequence[np.ndarray], resizer: Callable, scale: float, size: int) -> np.ndarray:
    """Centred squares of `scale` of the frames' short sides, resized: uint8 (frames, size, size, 3)."""
    found = np.empty((len(frames), size, size, 3), np.uint8)
    for frame, out in zip(frames, found, strict=True):
        height, width, _ = frame.shape
        side = int(min(height, width) * scale)
        y, x = (height - side) // 2, (width - side) // 2
        resizer(side, side, size)(frame[y : y + side, x : x + side], out)
    return found


def psnr(ours: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / np.mean((ours.astype(np.float32) - reference) ** 2)))


def sharpness(images: np.ndarray) -> float:
    """The variance of the Laplacian of the luma, the mean of the pictures."""
    lumas = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images)
    return float(np.mean([cv2.Laplacian(luma, cv2.CV_64F).var() for luma in lumas]))


def main() -> None:
    """Parse the arguments and print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True, help="folder with <Class>/<video>.avi")
    arguments = parser.parse_args()
    videos = sorted(arguments.videos.glob("*/*.avi"))
    reference = [reference_frame(video) for video in videos]
    stored = {setting: stored_frames(videos, *setting) for setting in SETTINGS}
    print(f"{len(videos)} frames; PSNR in dB and sharpness against the reference's pictures")
    for size in SIZES:
        scales = "".join(f" {f'scale {scale:g}':>14}" for scale in MULTI_SCALE_FACTORS)
        print(f"\n{size} px\nshort side  quality  resizing  bytes/frame  GB of UCF101{scales}")
        theirs = [pictures(reference, RESIZERS["pillow"], scale, size) for scale in MULTI_SCALE_FACTORS]
        for short_side, quality, resizing in ROWS:
            frames, length = stored[short_side, quality]
            values = ""
            for scale, expected in zip(MULTI_SCALE_FACTORS, theirs, strict=True):
                ours = pictures(frames, RESIZERS[resizing], scale, size)
                values += f" {psnr(ours, expected):7.1f} ({sharpness(ours) / sharpness(expected):4.2f})"
            total = length * FRAMES_OF_UCF101 / 1e9
            print(f"{short_side:10}  {quality:7}  {resizing:8}  {length:11.0f}  {total:12.1f}{values}")


if __name__ == "__main__":
    main()
