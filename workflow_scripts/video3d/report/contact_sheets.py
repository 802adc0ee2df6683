"""Contact sheets of frames: SVG images in which every frame is a WebP and every name is text."""

import base64
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
import pandas as pd

from video3d.clips.clip_reader import decode_frames, frame_size
from video3d.clips.spatial_crops import centre_box
from video3d.common.settings import EvaluateSettings
from video3d.dataset.safe_names import safe_name
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
        return all((self.folder / f"{safe_name(name)}.zip").is_file() for name in class_names)

    def middle_frame(self, class_name: str, video: str, size: int) -> np.ndarray:
        """Return the middle frame, uint8 RGB (size, size, 3)."""
        return self._read(class_name, video, [self._pack(class_name).videos.get(safe_name(video), 1) // 2], size)[0]

    def middle_clip(
        self, class_name: str, video: str, length: int, evaluate: EvaluateSettings, size: int
    ) -> np.ndarray:
        """Return the clip in the middle of those that the first protocol takes, uint8 RGB (length, size, size, 3)."""
        frames = self._pack(class_name).videos.get(safe_name(video), 1)
        chosen = views(evaluate.protocols[0], frames, length, evaluate.uniform)
        return self._read(class_name, video, chosen.indices[(len(chosen.indices) - 1) // 2].tolist(), size)

    def _read(self, class_name: str, video: str, indices: Sequence[int], size: int) -> np.ndarray:
        pack, video = self._pack(class_name), safe_name(video)
        clip = np.empty((len(indices), size, size, 3), np.uint8)
        decode_frames(clip, pack, video, indices, centre_box(*frame_size(pack, video, indices[0])))
        return clip

    def _pack(self, class_name: str) -> Pack:
        if class_name not in self._packs:
            self._packs[class_name] = Pack(self.folder / f"{safe_name(class_name)}.zip")
        return self._packs[class_name]


def absent_packs(frames: FrameReader, class_names: Sequence[str]) -> str:
    """Return that there are no pictures; empty if there are."""
    return "" if frames.has_packs(class_names) else f"No pictures: the packs of frames are not in {frames.folder}."


def draw_mistakes(frames: FrameReader, mistakes: pd.DataFrame, heading: Sequence[str]) -> str:
    """Draw the first of the `mistakes` (video, class, predicted_class, probability, split), a cell per video."""
    size = WIDTH // MISTAKES_IN_ROW - GAP
    cells = [
        Cell(
            frames.middle_frame(row["class"], row["video"], size),
            [(row["class"], RIGHT), (row["predicted_class"], WRONG), (f"{100 * row['probability']:.1f} %", INK)],
        )
        for _, row in mistakes.drop_duplicates("video").head(MISTAKES).iterrows()
    ]
    if not cells:
        return draw_sentence("No mistake was made.")
    rows = [cells[start : start + MISTAKES_IN_ROW] for start in range(0, len(cells), MISTAKES_IN_ROW)]
    return draw_sheet([*((line, ()) for line in heading), *(("", row) for row in rows)])


@dataclass(frozen=True)
class PairOfClasses:
    """A frequent confusion: a row of `analysis.confused_pairs`, and videos of either class (video, class, split).

    `tested`: test videos of the class that were taken for the other. `trained`: training videos of that other class.
    """

    pair: dict
    tested: list[dict]
    trained: list[dict]


def choose_pairs(pairs: pd.DataFrame, mistakes: pd.DataFrame, training: pd.DataFrame) -> list[PairOfClasses]:
    """Choose the videos that stand for the most frequent confusions.

    Args:
        pairs: as from `analysis.confused_pairs`.
        mistakes: the mistakes, with columns video, class, predicted_class, split.
        training: the training videos, with columns video, class, group, split; one video of a group is shown.
    """
    chosen = []
    for pair in pairs.head(PAIRS).to_dict("records"):
        of_pair = (mistakes["class"] == pair["class"]) & (mistakes["predicted_class"] == pair["predicted_class"])
        tested = mistakes[of_pair].drop_duplicates("video")
        trained = training[training["class"] == pair["predicted_class"]].drop_duplicates("group")
        chosen.append(PairOfClasses(pair, *(_videos(table.head(VIDEOS_OF_PAIR)) for table in (tested, trained))))
    return chosen


def _videos(table: pd.DataFrame) -> list[dict]:
    return table[["video", "class", "split"]].to_dict("records")


def draw_confused_pairs(frames: FrameReader, chosen: Sequence[PairOfClasses], heading: Sequence[str]) -> str:
    """Draw a row per pair, its tested videos before the others; `heading` are lines above the pictures."""
    size = (WIDTH - 3 * GAP) // (2 * VIDEOS_OF_PAIR) - GAP
    space = [Cell(np.full((size, 2 * GAP, 3), 255, np.uint8))]
    rows = []
    for each in chosen:
        left, right = (
            [Cell(frames.middle_frame(video["class"], video["video"], size)) for video in videos]
            for videos in (each.tested, each.trained)
        )
        pair = each.pair
        title = f"{pair['class']} taken for {pair['predicted_class']}: {100 * pair['share']:.1f} % of its videos"
        rows.append((title, left + space + right))
    return draw_sheet([*((line, ()) for line in heading), *rows]) if rows else draw_sentence("No mistake was made.")


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


def data_uri(image: np.ndarray, quality: int = QUALITY) -> str:
    """Return an image, uint8 RGB (height, width, 3), as a data URI that holds it as WebP of this quality, 0 to 100."""
    _, encoded = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality])
    return "data:image/webp;base64," + base64.b64encode(encoded).decode()


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x}" y="{y - 3}" fill="{colour}">{escape(text)}</text>'


def _svg(width: float, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        + "".join(body) + "</svg>"
    )  # fmt: skip
