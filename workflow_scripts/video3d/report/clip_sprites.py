"""Clips that move on a page: the frames that the network saw side by side in one WebP, which CSS shows in turn.

How large the pictures are, how well they are compressed and, at last, how many there are follows a budget of bytes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from video3d.common.settings import EvaluateSettings
from video3d.report.contact_sheets import FrameReader, data_uri

FRAMES = 16  # of a clip at most; of a longer one as many are shown, evenly spaced
SAMPLE = 12  # clips that are compressed to find out which look fits the budget


class Look(NamedTuple):
    """How clips are drawn: pixels of a side, and quality of the WebP, 0 to 100."""

    size: int
    quality: int


LOOKS = (Look(112, 60), Look(112, 40), Look(96, 30), Look(80, 25), Look(64, 20), Look(48, 10))  # the best first


class ClipName(NamedTuple):
    """The video whose clip is shown, and the split whose network saw it."""

    class_name: str
    video: str
    split: int


class Sprite(NamedTuple):
    """A drawn clip: the name of its CSS class, a data URI of its frames side by side, and how many these are."""

    key: str
    uri: str
    frames: int


def draw_sprites(
    names: Sequence[ClipName],
    reader: FrameReader,
    lengths: Mapping[int, int],
    evaluate: EvaluateSettings,
    budget: int,
) -> dict[ClipName, Sprite]:
    """Draw clips in the best look that fits the budget, the first ones first; those that it does not hold are left out.

    Args:
        names: the clips in the order of their worth; one that is named twice is drawn once.
        reader: where frames are read.
        lengths: how many frames the clips of the networks have, by split.
        evaluate: the settings of the evaluation, by whose first protocol the clip is chosen.
        budget: characters that all data URIs may have together.
    """

    def draw(name: ClipName, look: Look) -> tuple[str, int]:
        clip = reader.middle_clip(name.class_name, name.video, lengths[name.split], evaluate, look.size)
        shown = np.linspace(0, len(clip) - 1, min(FRAMES, len(clip))).round().astype(int)
        return data_uri(np.concatenate(list(clip[shown]), axis=1), look.quality), len(shown)

    names = list(dict.fromkeys(names))
    sample = names[:: max(1, len(names) // SAMPLE)]

    def fits(look: Look) -> bool:
        return np.mean([len(draw(name, look)[0]) for name in sample]) * len(names) <= budget

    look = next(filter(fits, LOOKS), LOOKS[-1]) if names else LOOKS[0]
    sprites: dict[ClipName, Sprite] = {}
    for number, name in enumerate(names):
        uri, frames = draw(name, look)
        budget -= len(uri)
        if budget < 0:
            break
        sprites[name] = Sprite(f"clip{number}", uri, frames)
    return sprites
