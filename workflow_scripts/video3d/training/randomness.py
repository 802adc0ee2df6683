"""Random numbers that depend on seed, epoch and video alone."""

from random import Random


def generator(seed: int, epoch: int, key: str) -> Random:
    """Return the random numbers of one video, or one purpose, in one epoch: they depend on nothing else.

    The generator is Python's, not NumPy's, whose every draw gives up the interpreter's lock: that would cost a fifth of
    the loader's rate.
    """
    return Random(f"{seed}/{epoch}/{key}")
