"""Contact sheets of frames: SVG images in which every frame is a WebP and every name is text."""

import base64
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
import pandas as pd

from video3d.clips.clip_reader import decode_frames, frame_size
from video3d.clips.spatial_crops import centre_box
from video3d.common.settings import EvaluateSettings
from video3d.evaluation.protocols import views
from video3d.frames.frame_pack import Pack

WIDTH, GAP, LINE = 920, 6, 15  # pixels: the widest sheet, between two pictures, height of a line of text
LEAST_WIDTH, CHARACTERS = 640, 100  # room for a line of that many characters
QUALITY = 55  # of a WebP, 0 to 100
RIGHT, WRONG, INK = "#00704f", "#b34700", "#222222"
MISTAKES, MISTAKES_IN_ROW = 21, 7
PAIRS, VIDEOS_OF_PAIR = 4, 4  # as many videos of either class of a pair


@dataclass(frozen=True)
class Cell:
    """A picture, uint8 RGB (height, width, 3), with lines of text (text, colour) below it."""

    image: np.ndarray
    lines: Sequence[tuple[str, str]] = ()


class FrameReader:
    """Frames of videos out of the packs in one folder, as evaluation sees them: the centre square."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._packs: dict[str, Pack] = {}

    def has_packs(self, class_names: Sequence[str]) -> bool:
        """Return whether the folder has the pack of every class."""
        return all((self.folder / f"{name}.zip").is_file() for name in class_names)

    def middle_frame(self, class_name: str, video: str, size: int) -> np.ndarray:
        """Return the middle frame, uint8 RGB (size, size, 3)."""
        return self._read(class_name, video, [self._pack(class_name).videos.get(video, 1) // 2], size)[0]

    def middle_clip(
        self, class_name: str, video: str, length: int, evaluate: EvaluateSettings, size: int
    ) -> np.ndarray:
        """Return the clip in the middle of those that the first protocol takes, uint8 RGB (length, size, size, 3)."""
        frames = self._pack(class_name).videos.get(video, 1)
        chosen = views(evaluate.protocols[0], frames, length, evaluate.uniform)
        return self._read(class_name, video, chosen.indices[(len(chosen.indices) - 1) // 2].tolist(), size)

    def _read(self, class_name: str, video: str, indices: Sequence[int], size: int) -> np.ndarray:
        pack = self._pack(class_name)
        clip = np.empty((len(indices), size, size, 3), np.uint8)
        decode_frames(clip, pack, video, indices, centre_box(*frame_size(pack, video, indices[0])))
        return clip

    def _pack(self, class_name: str) -> Pack:
        if class_name not in self._packs:
            self._packs[class_name] = Pack(self.folder / f"{class_name}.zip")
        return self._packs[class_name]


def draw_mistakes(frames: FrameReader, mistakes: pd.DataFrame, heading: Sequence[str]) -> str:
    """Draw the first of the `mistakes` (video, class, predicted_class, probability, split), a cell per video."""
    size = WIDTH // MISTAKES_IN_ROW - GAP
    cells = [
        Cell(
            frames.middle_frame(row["class"], row["video"], size),
            [(row["class"], RIGHT), (row["predicted_class"], WRONG), (f"{row['probability']:.0%}", INK)],
        )
        for _, row in mistakes.drop_duplicates("video").head(MISTAKES).iterrows()
    ]
    if not cells:
        return draw_sentence("No mistake was made.")
    rows = [cells[start : start + MISTAKES_IN_ROW] for start in range(0, len(cells), MISTAKES_IN_ROW)]
    return draw_sheet([*((line, ()) for line in heading), *(("", row) for row in rows)])


def draw_confused_pairs(
    frames: FrameReader, pairs: pd.DataFrame, mistakes: pd.DataFrame, training: pd.DataFrame, heading: Sequence[str]
) -> str:
    """Draw a row per pair: test videos of the class that were taken for the other, then training videos of that other.

    Args:
        frames: where the frames are read.
        pairs: as from `analysis.confused_pairs`.
        mistakes: the mistakes, with columns video, class, predicted_class.
        training: the training videos, with columns video, class, group; one video of a group is shown.
        heading: lines above the pictures.
    """
    size = (WIDTH - 3 * GAP) // (2 * VIDEOS_OF_PAIR) - GAP
    rows = []
    for _, pair in pairs.head(PAIRS).iterrows():
        of_pair = (mistakes["class"] == pair["class"]) & (mistakes["predicted_class"] == pair["predicted_class"])
        tested = mistakes[of_pair].drop_duplicates("video")
        trained = training[training["class"] == pair["predicted_class"]].drop_duplicates("group")
        left, right = (
            [
                Cell(frames.middle_frame(row["class"], row["video"], size))
                for _, row in table.head(VIDEOS_OF_PAIR).iterrows()
            ]
            for table in (tested, trained)
        )
        space = [Cell(np.full((size, 2 * GAP, 3), 255, np.uint8))]
        title = f"{pair['class']} taken for {pair['predicted_class']}: {pair['share']:.0%} of its videos"
        rows.append((title, left + space + right))
    return draw_sheet([*((line, ()) for line in heading), *rows]) if rows else draw_sentence("No mistake was made.")


def draw_clips(
    frames: FrameReader, videos: pd.DataFrame, shapes: Mapping[int, Mapping[str, int]], evaluate: EvaluateSettings
) -> str:
    """Draw the frames of a clip of the first video of every class as a strip.

    Args:
        frames: where the frames are read.
        videos: the test videos, with columns video, class, split.
        shapes: frames and size of the clips by split, as networks may take clips of different shapes.
        evaluate: the settings of the evaluation, of whose first protocol the clip is one.
    """
    rows = []
    for _, row in videos.drop_duplicates("class").iterrows():
        length, size = shapes[row["split"]]["frames"], shapes[row["split"]]["size"]
        clip = frames.middle_clip(row["class"], row["video"], length, evaluate, min(size, WIDTH // length))
        strip = np.concatenate(list(clip), axis=1)
        rows.append((f"{row['class']} ({row['video']})", [Cell(strip)]))
    return draw_sheet(rows)


def draw_sheet(rows: Sequence[tuple[str, Sequence[Cell]]]) -> str:
    """Draw rows of cells below each other as an SVG, each row with a title above it unless that is empty."""
    body, y, width = [], 0, LEAST_WIDTH
    for title, cells in rows:
        for line in textwrap.wrap(title, CHARACTERS):
            y += LINE
            body.append(_text(0, y, line, INK))
        y += GAP if title else 0
        x = 0
        for cell in cells:
            height, cell_width, _ = cell.image.shape
            body.append(
                f'<image x="{x}" y="{y}" width="{cell_width}" height="{height}" href="{data_uri(cell.image)}"/>'
            )
            for number, (line, colour) in enumerate(cell.lines, 1):
                body.append(_text(x, y + height + number * LINE, line, colour))
            x += cell_width + GAP
            width = max(width, x)
        y += max(cell.image.shape[0] + len(cell.lines) * LINE for cell in cells) + GAP if cells else 0
    return _svg(width, y, body)


def draw_sentence(text: str) -> str:
    """Draw a sentence, which stands where there is no picture."""
    return _svg(600, 3 * LINE, [_text(0, 2 * LINE, text, INK)])


def data_uri(image: np.ndarray) -> str:
    """Return an image, uint8 RGB (height, width, 3), as a data URI that holds it as WebP."""
    _, encoded = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return "data:image/webp;base64," + base64.b64encode(encoded).decode()


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x}" y="{y - 3}" fill="{colour}">{escape(text)}</text>'


def _svg(width: float, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        + "".join(body) + "</svg>"
    )  # fmt: skip
