"""A data set of a few tiny videos: packs, manifests and a split table, written straight, without ffmpeg."""

import csv
from pathlib import Path

import numpy as np
import simplejpeg

from video3d.frames.frame_pack import PackWriter


def frame_jpeg(brightness: int, width: int = 24, height: int = 18) -> bytes:
    """A grey frame."""
    return simplejpeg.encode_jpeg(np.full((height, width, 3), brightness, np.uint8), 95)


def write_pack(folder: Path, class_name: str, videos: int, frames: int, brightness: int = 0, jpegs=None) -> list[dict]:
    """Write <class_name>.zip and <class_name>.csv; frame i of every video has the brightness 20·i + `brightness`."""
    jpegs = jpegs or [frame_jpeg(20 * index + brightness) for index in range(frames)]
    with PackWriter(folder / f"{class_name}.zip") as pack:
        facts = {f"v_{class_name}_g{group:02d}_c01": None for group in range(1, videos + 1)}
        rows = [{"video": name, **pack.add(name, jpegs)._asdict(), "source": f"file of {name}"} for name in facts]
    _write_csv(folder / f"{class_name}.csv", rows)
    return rows


def write_dataset(folder: Path, classes: list[str], videos: int, frames: int = 9, jpegs=None, subset="train") -> Path:
    """Write frames/ and split1.csv below `folder`, which is returned; all videos are of `subset`."""
    table = []
    for label, class_name in enumerate(classes):
        for group, row in enumerate(write_pack(folder / "frames", class_name, videos, frames, jpegs=jpegs), 1):
            row = {"video": row["video"], "class": class_name, "label": label, "group": group, "subset": subset}
            table.append(row | {"frames": len(jpegs) if jpegs else frames})
    _write_csv(folder / "split1.csv", table)
    return folder


def _write_csv(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
