"""An exported program rewritten for TensorRT, which needs Paddle's GPU build and an installed TensorRT."""

from pathlib import Path

import numpy as np


def rewrite_for_tensorrt(
    program: Path, clip_shape: tuple[int, ...], batch_size: int, folder: Path
) -> tuple[Path, Path]:
    """Write a copy of `program` whose operations run in TensorRT, in float32, to `folder`: (program, parameters).

    The copy runs on this kind of GPU only, so it is made anew each time and not shipped.

    Args:
        program: model.json of the exported folder.
        clip_shape: (T, H, W, 3) of the uint8 clips that it takes.
        batch_size: the largest; the smallest is 1.
        folder: an existing one.
    """
    from paddle import tensorrt  # absent from Paddle's CPU build

    shapes = [(count, *clip_shape) for count in (1, batch_size, batch_size)]
    clips = tensorrt.Input(warmup_data=tuple(np.zeros(shape, np.uint8) for shape in shapes))
    target = folder / "tensorrt"
    tensorrt.convert(str(program.with_suffix("")), tensorrt.TensorRTConfig([clips], save_model_dir=str(target)))
    return target.with_suffix(".json"), target.with_suffix(".pdiparams")
