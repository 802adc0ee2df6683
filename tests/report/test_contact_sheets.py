"""Pictures of frames, and the names beside them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import simplejpeg

from video3d.common.settings import resolve
from video3d.frames.frame_pack import PackWriter
from video3d.report import contact_sheets


def test_pictures_show_the_centre_of_the_middle_frame(tmp_path: Path) -> None:
    frames = [np.full((20, 40, 3), value, np.uint8) for value in (0, 100, 200)]
    frames[1][:, :10] = 255  # outside of the centre square
    with PackWriter(tmp_path / "A.zip") as pack:
        pack.add("v", [simplejpeg.encode_jpeg(frame, quality=100) for frame in frames])
    source = contact_sheets.FrameReader(tmp_path)
    assert np.abs(source.middle_frame("A", "v", 10).astype(int) - 100).max() <= 2
    clip = source.middle_clip("A", "v", 3, resolve({}).evaluate, 10)
    assert clip.shape == (3, 10, 10, 3)
    assert source.has_packs(["A"])
    assert not source.has_packs(["A", "B"])


def test_names_in_pictures_are_escaped() -> None:
    cell = SimpleNamespace(image=np.zeros((4, 4, 3), np.uint8), lines=[("<b>", "#000")])
    assert "&lt;b&gt;" in contact_sheets.draw_sheet([("a & b", [cell])])
