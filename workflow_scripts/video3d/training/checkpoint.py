"""The state of a training, kept so that a killed run goes on and a finished one need not be repeated."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from video3d.common.bounded_zip import open_bounded_zip
from video3d.common.errors import UserError
from video3d.common.files import atomic_path

FILE = "checkpoint.npz"
FACTS = "facts"


@dataclass
class Totals:
    """Sums over the steps of the epoch so far."""

    clips: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    waiting: float = 0.0


@dataclass
class State:
    """How far a training is: the epoch (from 1) and its next step (from 0); after the last epoch it is finished.

    `history` has one row per finished epoch; `software` says what computed the last of the steps.
    """

    epoch: int = 1
    step: int = 0
    totals: Totals = field(default_factory=Totals)
    history: list[dict] = field(default_factory=list)
    software: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Where the state of a training is kept; `key` says what the training is of: settings, seed, data and code."""

    folder: Path
    key: str

    def save(self, state: State, tensors: Mapping[str, np.ndarray]) -> None:
        """Replace what is kept in one go, so that a kill at any moment leaves the old or the new state."""
        facts = json.dumps({"key": self.key, "state": asdict(state)})
        with atomic_path(self.folder / FILE) as path, path.open("wb") as file:
            np.savez(file, **tensors, **{FACTS: np.array(facts)})

    def load(self) -> tuple[State, dict[str, np.ndarray]] | None:
        """Return the state and the tensors, or None if nothing is kept. Nothing in the file is executed.

        Raises UserError if it is damaged or of another training.
        """
        path = self.folder / FILE
        if not path.is_file():
            return None
        try:
            with open_bounded_zip(path), np.load(path, allow_pickle=False) as file:
                tensors = {name: file[name] for name in file.files}
            facts = json.loads(str(tensors.pop(FACTS)))
            state = State(**facts["state"] | {"totals": Totals(**facts["state"]["totals"])})
        except (ValueError, KeyError, TypeError, EOFError, OSError, MemoryError, zipfile.BadZipFile) as error:
            raise UserError(f"the checkpoint {path} is damaged ({error}); delete it to train from the start") from error
        if facts["key"] != self.key:
            raise UserError(
                f"the checkpoint {path} is of another training (other settings, seed, data or code); "
                "choose another --checkpoints folder or delete it"
            )
        return state, tensors
