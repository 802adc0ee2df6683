"""What a comparison of two runs reads, and that it is there."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from video3d.common.errors import UserError


def version_of_answers(results: Path, runs: Iterable[str]) -> str:
    """Return 12 hexadecimal digits that change when accuracies or predictions of one of the `runs` in `results` do.

    Raises UserError that names a run without results, and the runs that have some.
    """
    digest = hashlib.sha256()
    for run in runs:
        folder = results / run
        if not (folder / "accuracy.csv").is_file():
            finished = sorted(path.parent.name for path in results.glob("*/accuracy.csv"))
            raise UserError(
                f"there is no run {run} to compare: {folder}/accuracy.csv does not exist in {Path.cwd()}; runs "
                f"that are there: {', '.join(finished) or 'none'}. A comparison makes no run: make it first, "
                "with its settings."
            )
        for path in [folder / "accuracy.csv", *sorted(folder.glob("split*/seed*/*/predictions.csv"))]:
            digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
