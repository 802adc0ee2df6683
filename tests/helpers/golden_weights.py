"""Weights and inputs by formula, with which the golden values of the published networks were computed."""

import math
import zlib

import numpy as np


def golden_tensor(key: str, shape: list[int]) -> np.ndarray:
    """float32 values for a tensor of a published name; `head.fc.weight`, of the reference, is stored [in, out]."""
    phase = 2 * math.pi * (zlib.crc32(key.encode()) % 1000) / 1000
    wave = np.sin(0.37 * np.arange(math.prod(shape), dtype=np.float64) + phase).reshape(shape)
    if key.endswith(("running_mean", "_mean")):
        values = 0.1 * wave
    elif key.endswith(("running_var", "_variance")):
        values = 1 + 0.5 * np.abs(wave)
    elif len(shape) >= 2:
        inputs = shape[0] if key == "head.fc.weight" else math.prod(shape[1:])
        values = wave * math.sqrt(2 / inputs)
    elif key.endswith("weight"):
        values = 1 + 0.1 * wave
    else:
        values = 0.1 * wave
    return values.astype(np.float32)


def golden_input(shape: list[int], step: int = 0) -> np.ndarray:
    """float32 clip; the reference's entries of the golden values have the axes N,T,C,H,W."""
    return np.sin(0.013 * np.arange(math.prod(shape), dtype=np.float64) + step).reshape(shape).astype(np.float32)
