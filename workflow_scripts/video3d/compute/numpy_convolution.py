"""A 3D convolution and its gradients as matrix products of NumPy arrays.

The windows of a clip are unfolded over height and width only, with channels last, so that whole runs of memory are
copied; a kernel of k frames is then the sum of k matrix products, and frames that are only padding cost nothing.
Threads share the clips of a batch. What is summed in which order depends on the shapes alone: the result is bit for bit
the same for any number of threads.
"""

from collections.abc import Callable, Iterator
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

UNFOLDED_BYTES = 16 << 20
PARTS = 8  # partial sums of a gradient, whatever the number of threads, so that rounding does not depend on it
ROWS_PER_SUM = 256  # the fewest positions for which a partial sum of its own pays


class Geometry(NamedTuple):
    """Stride and padding (before, after) of a convolution, both over (T, H, W)."""

    stride: tuple[int, int, int]
    padding: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

    def output(self, size: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, ...]:
        """Return (T, H, W) of the output."""
        sides = zip(size, kernel, self.stride, self.padding, strict=True)
        return tuple((length + sum(padding) - k) // stride + 1 for length, k, stride, padding in sides)


def convolve(x: np.ndarray, weight: np.ndarray, geometry: Geometry, parallel: Callable) -> np.ndarray:
    """Convolve x with a weight.

    Args:
        x: float32 (N, C, T, H, W).
        weight: float32 (O, C, kt, kh, kw).
        geometry: stride and padding.
        parallel: works as `map`, in threads.

    Returns:
        float32 (N, O, T', H', W').
    """
    taps = _channels_last(weight)
    matrices = taps.reshape(len(taps), len(weight), -1).swapaxes(1, 2)
    return _multiply_windows(x, matrices, weight.shape[2:], geometry, parallel)


def gradient_of_weight(
    gradient: np.ndarray, x: np.ndarray, shape: tuple[int, ...], geometry: Geometry, parallel: Callable
) -> np.ndarray:
    """Return the gradient of the weight, of its `shape`, given that of the output; arguments as of `convolve`."""
    kernel, size = shape[2:], gradient.shape[2:]
    depth = kernel[1] * kernel[2] * shape[1]
    enough = -(-ROWS_PER_SUM // prod(size))
    blocks = _blocks(len(x), x.shape[2] * size[1] * size[2] * depth, enough)

    def part(blocks: list[slice]) -> np.ndarray:
        sums = np.zeros((kernel[0], shape[0], depth), np.float32)
        for clips in blocks:
            columns = _unfold(x[clips], kernel, geometry, size)
            rows = _frames_first(gradient[clips])
            for frame, source, tap in _frames(x.shape[2], size[0], kernel[0], geometry):
                sums[tap] += rows[frame].T @ columns[source]
        return sums

    taps = sum(parallel(part, [blocks[start::PARTS] for start in range(min(PARTS, len(blocks)))]))
    return taps.reshape(kernel[0], shape[0], *kernel[1:], shape[1]).transpose(1, 4, 0, 2, 3)


def gradient_of_input(
    gradient: np.ndarray, weight: np.ndarray, size: tuple[int, ...], geometry: Geometry, parallel: Callable
) -> np.ndarray:
    """Return the gradient of the input, whose (T, H, W) is `size`, given that of the output; see `convolve`."""
    kernel, taps = weight.shape[2:], _channels_last(weight)
    if set(geometry.stride) == {1}:  # itself a convolution, with the kernel mirrored and its channels exchanged
        mirrored = taps[::-1, :, ::-1, ::-1].transpose(0, 2, 3, 1, 4)
        matrices = np.ascontiguousarray(mirrored).reshape(len(taps), -1, weight.shape[1])
        padding = tuple(
            (k - 1 - before, k - 1 - after) for k, (before, after) in zip(kernel, geometry.padding, strict=True)
        )
        return _multiply_windows(gradient, matrices, kernel, Geometry(geometry.stride, padding), parallel)
    return _spread_windows(gradient, taps, size, geometry, parallel)


def _multiply_windows(
    x: np.ndarray, matrices: np.ndarray, kernel: tuple[int, ...], geometry: Geometry, parallel: Callable
) -> np.ndarray:
    """Multiply every window of x (N, C, T, H, W) with the matrices (kt, kh · kw · C, O): (N, O, T', H', W')."""
    _, depth, outputs = matrices.shape
    size = geometry.output(x.shape[2:], kernel)
    y = np.empty((len(x), outputs, *size), np.float32)

    def block(clips: slice) -> None:
        columns = _unfold(x[clips], kernel, geometry, size)
        rows = np.zeros((size[0], columns.shape[1], outputs), np.float32)
        product = np.empty_like(rows[0])
        for frame, source, tap in _frames(x.shape[2], size[0], kernel[0], geometry):
            rows[frame] += np.matmul(columns[source], matrices[tap], out=product)
        y[clips] = rows.reshape(size[0], -1, *size[1:], outputs).transpose(1, 4, 0, 2, 3)

    _run(parallel, block, _blocks(len(x), x.shape[2] * size[1] * size[2] * depth))
    return y


def _spread_windows(
    gradient: np.ndarray, taps: np.ndarray, size: tuple[int, ...], geometry: Geometry, parallel: Callable
) -> np.ndarray:
    """Transpose a convolution with a stride: add every value's window to where it came from."""
    frames, outputs, rows, columns, inputs = taps.shape
    _, high, wide = gradient.shape[2:]
    _, step_y, step_x = geometry.stride
    _, (above, below), (left, right) = geometry.padding
    x = np.empty((len(gradient), inputs, *size), np.float32)

    def block(clips: slice) -> None:
        values = _frames_first(gradient[clips])
        count = len(gradient[clips])
        sums = np.zeros((size[0], count, above + size[1] + below, left + size[2] + right, inputs), np.float32)
        for frame, source, tap in _frames(size[0], gradient.shape[2], frames, geometry):
            windows = (values[frame] @ taps[tap].reshape(outputs, -1)).reshape(count, high, wide, rows, columns, inputs)
            for row in range(rows):
                for column in range(columns):
                    place = slice(row, row + step_y * high, step_y), slice(column, column + step_x * wide, step_x)
                    sums[(source, slice(None), *place)] += windows[:, :, :, row, column]
        inner = sums[:, :, above : above + size[1], left : left + size[2]]
        x[clips] = inner.transpose(1, 4, 0, 2, 3)

    _run(parallel, block, _blocks(len(gradient), gradient.shape[2] * high * wide * rows * columns * inputs))
    return x


def _channels_last(weight: np.ndarray) -> np.ndarray:
    """Transpose (O, C, kt, kh, kw) to (kt, O, kh, kw, C), in memory too."""
    return np.ascontiguousarray(weight.transpose(2, 0, 3, 4, 1))


def _blocks(clips: int, values: int, least: int = 1) -> list[slice]:
    """Return which clips are unfolded together: a quarter of all or what `UNFOLDED_BYTES` hold, at least `least`."""
    length = max(least, min(UNFOLDED_BYTES // (4 * values), -(-clips // 4)))
    return [slice(start, start + length) for start in range(0, clips, length)]


def _frames(inputs: int, outputs: int, kernel: int, geometry: Geometry) -> Iterator[tuple[int, int, int]]:
    """Yield all (frame of the output, frame of the input, frame of the kernel) that meet; padding is left out."""
    for frame in range(outputs):
        for tap in range(kernel):
            source = frame * geometry.stride[0] - geometry.padding[0][0] + tap
            if 0 <= source < inputs:
                yield frame, source, tap


def _unfold(x: np.ndarray, kernel: tuple[int, ...], geometry: Geometry, size: tuple[int, ...]) -> np.ndarray:
    """Return every window over height and width of every frame, channels last: (T, n · H' · W', kh · kw · C)."""
    count, channels, frames, height, width = x.shape
    _, top, left = geometry.padding
    padded = np.zeros((frames, count, height + sum(top), width + sum(left), channels), np.float32)
    padded[:, :, top[0] : top[0] + height, left[0] : left[0] + width] = x.transpose(2, 0, 3, 4, 1)
    t, n, h, w, c = padded.strides
    _, step_y, step_x = geometry.stride
    windows = as_strided(
        padded,
        (frames, count, size[1], size[2], kernel[1], kernel[2] * channels),
        (t, n, h * step_y, w * step_x, h, c),
    )
    return windows.reshape(frames, count * size[1] * size[2], -1)


def _frames_first(x: np.ndarray) -> np.ndarray:
    """Transpose (n, C, T, H, W) to (T, n · H · W, C)."""
    return np.ascontiguousarray(x.transpose(2, 0, 3, 4, 1)).reshape(x.shape[2], -1, x.shape[1])


def _run(parallel: Callable, block: Callable[[slice], None], blocks: list[slice]) -> None:
    for _ in parallel(block, blocks):
        pass
