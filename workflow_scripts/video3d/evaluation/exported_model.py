"""The exported network: a folder that is all that prediction needs.

`model.json` and `model.pdiparams` take uint8 RGB clips and give logits, `metadata.json` says what the clips and the
classes are.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import paddle
from paddle import nn

from video3d.clips.spatial_crops import FIRST_RESIZING, RESIZERS
from video3d.common.disk import disk_faults_are_errors
from video3d.common.documents import SEAL, sealed, validated
from video3d.common.errors import UserError
from video3d.common.files import sha256
from video3d.evaluation.model_metadata import METADATA, PARAMETERS, PROGRAM, Metadata, read_model_metadata
from video3d.model.normalised_model import NormalisedModel


def export_model(network: nn.Layer, metadata: dict, folder: str | os.PathLike) -> None:
    """Write `network` with its normalisation, and `metadata`, to an existing folder.

    The exported program maps uint8 RGB (N, T, H, W, 3) to logits, float32 (N, num_classes), for any N. The metadata are
    completed by the SHA-256 of the other files and of themselves.

    Args:
        network: maps float32 (N, 3, T, H, W) to logits.
        metadata: with a section `clip`.
        folder: where to write.
    """
    model = NormalisedModel(network, metadata["clip"])
    model.eval()
    clips = paddle.static.InputSpec([None, *clip_shape(metadata["clip"])], "uint8", name="clips")
    paddle.jit.save(model, str(Path(folder) / "model"), input_spec=[clips])
    files = {name: sha256(Path(folder) / name) for name in (PROGRAM, PARAMETERS)}
    metadata = validated(metadata | {"files": files}, Metadata)  # what cannot be read again is not exported
    (Path(folder) / METADATA).write_text(sealed(metadata), encoding="utf-8")


def read_metadata(folder: str | os.PathLike) -> dict:
    """Return the metadata of an exported model. Raises UserError if it is none, or if a file of it is damaged."""
    folder = Path(folder)
    with disk_faults_are_errors(folder):
        missing = [name for name in (PROGRAM, PARAMETERS, METADATA) if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{folder} is no exported model: it has no {', '.join(missing)}; give the folder that export.py wrote, "
            "such as results/<run>/split1/seed10001/model"
        )
    metadata = read_model_metadata(folder / METADATA)
    wrong = [name for name in (PROGRAM, PARAMETERS) if metadata["files"].get(name) != sha256(folder / name)]
    if wrong:
        raise UserError(f"{folder}: {', '.join(wrong)} damaged, or of another model; export the model again")
    if SEAL not in metadata:
        logging.warning("%s is of an early version and has no checksum: nobody knows whether it was changed",
                        folder / METADATA)  # fmt: skip
    if metadata.get("resizing", FIRST_RESIZING) not in RESIZERS:
        raise UserError(
            f"{folder / METADATA}: its pictures are to be resized by {metadata['resizing']!r:.80}, but known are "
            f"{', '.join(RESIZERS)}; use the version of this project that exported it"
        )
    clip, exported = clip_shape(metadata["clip"]), _exported_shape(folder / PROGRAM)
    if exported != clip:
        raise UserError(
            f"{folder / METADATA} says that a clip is {clip} (frames, height, width, colours), but the model beside it "
            f"was exported for {exported}; export the model again"
        )
    return metadata


def clip_shape(clip: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Return the shape of a clip, (T, H, W, 3), by that section of the settings."""
    return clip["frames"], clip["size"], clip["size"], 3


def _exported_shape(program: Path) -> tuple[int, ...]:
    """Return the shape of the clips that an exported program takes; empty if it is none."""
    content = paddle.static.Program()
    try:
        paddle.base.core.deserialize_pir_program(str(program), content)
    except (ValueError, RuntimeError):  # no JSON, or not of a program
        return ()
    inputs = [op for op in content.global_block().ops if op.name() == "pd_op.data"]
    return tuple(inputs[0].attrs()["shape"][1:]) if inputs else ()
