"""What can compute an exported network, and where; known without importing Paddle, which takes seconds."""

from importlib.util import find_spec
from pathlib import Path

from video3d.common.errors import UserError

FASTEST_ENGINE = {"cpu": "onednn", "gpu": "plain"}


def choose_engine(engine: str, device: str) -> str:
    """Return the engine to use on `device`, "cpu" or "gpu".

    For "auto" it is the one that was measured to be the fastest there. Raises UserError if the one that is asked for
    cannot run here.
    """
    if engine == "auto":
        return FASTEST_ENGINE[device]
    if fault := misplaced_engine(engine, device) or missing_engine(engine):
        raise UserError(fault)
    return engine


def misplaced_engine(engine: str, device: str) -> str | None:
    """Return why `engine` cannot run on any "cpu", or any "gpu"; None if it can."""
    if engine == "onednn" and device == "gpu":
        return "evaluate: engine: onednn runs on a CPU, not on the GPU; set engine: auto, or device: cpu"
    if engine == "tensorrt" and device == "cpu":
        return "evaluate: engine: tensorrt runs on a GPU, not on the CPU; set engine: auto"
    return None


def missing_engine(engine: str) -> str | None:
    """Return why `engine` is not installed here; None if it is, or if there is no Paddle to look into."""
    paddle = find_spec("paddle")
    if engine != "tensorrt" or paddle is None:
        return None
    if not any(Path(place, "tensorrt").is_dir() for place in paddle.submodule_search_locations):
        problem = "this PaddlePaddle is a build without it"
    elif find_spec("tensorrt") is None:
        problem = "not installed"
    else:
        return None
    return f"evaluate: engine: tensorrt cannot be used: {problem}; set engine: auto"
