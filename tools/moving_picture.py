"""Draw the moving picture of the README: test clips of the demo, one of each class, with the network's answers.

    PYTHONPATH=workflow_scripts python tools/moving_picture.py results/demo docs/demo.webp

reads the run and the frames in data/, and writes an animated WebP of the frames that the network saw.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from video3d.common.settings import Settings
from video3d.report.contact_sheets import RIGHT, WRONG, FrameReader
from video3d.report.run_files import read_run_settings

SIZE, GAP, LINE = 136, 8, 20  # pixels: of a clip, between two, height of the line below
MILLISECONDS, PAUSE = 120, 600  # how long a frame stays, and the last one in addition


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the finished run of the demo")
    parser.add_argument("picture", type=Path, help="WebP to write")
    arguments = parser.parse_args()
    settings = read_run_settings(arguments.run)
    pictures = draw(settings, predictions_of_classes(arguments.run, settings))
    durations = [MILLISECONDS] * (len(pictures) - 1) + [MILLISECONDS + PAUSE]
    pictures[0].save(arguments.picture, save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def predictions_of_classes(run: Path, settings: Settings) -> list[dict[str, str]]:
    """Return a prediction of each class: the first in the table of the first split, seed and protocol."""
    folder = run / f"split{settings.splits[0]}" / f"seed{settings.seeds[0]}" / settings.evaluate.protocols[0]
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return list({row["class"]: row for row in reversed(rows)}.values())[::-1]


def draw(settings: Settings, rows: list[dict[str, str]]) -> list[Image.Image]:
    """Return the clips of the predictions side by side, a picture per frame."""
    frames = settings.frames
    folder = Path("data") / settings.dataset.name / "frames" / f"{frames.short_side}px_q{frames.quality}"
    reader = FrameReader(folder)
    clips = [
        reader.middle_clip(row["class"], row["video"], settings.clip.frames, settings.evaluate, SIZE) for row in rows
    ]
    return [draw_frame(pictures, rows) for pictures in zip(*clips, strict=True)]


def draw_frame(pictures: tuple[np.ndarray, ...], rows: list[dict[str, str]]) -> Image.Image:
    """Return pictures, uint8 RGB (SIZE, SIZE, 3), in a row, each with the answer below."""
    sheet = Image.new("RGB", (len(rows) * (SIZE + GAP) - GAP, SIZE + LINE), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for number, (picture, row) in enumerate(zip(pictures, rows, strict=True)):
        left = number * (SIZE + GAP)
        sheet.paste(Image.fromarray(picture), (left, 0))
        answer = f"{row['top1_class']} {float(row['top1_probability']):.0%}"
        colour = RIGHT if row["top1_class"] == row["class"] else WRONG
        pen.text((left + SIZE / 2, SIZE + LINE / 2), answer, colour, font, anchor="mm")
    return sheet


if __name__ == "__main__":
    main()
