"""What a comparison of two runs, or an overview of all, reads, and that it is there."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from video3d.common.errors import UserError

# Of a run, what `report.overview` reads; of folders, that they are there: a training that has begun, a report.
READ_OF_A_RUN = ("*.yaml", "accuracy.csv", "split*/seed*/*.json", "split*/seed*/*.csv", "split*/seed*/*/*.json",
                 "split*/seed*/*/*.csv", "split*/seed*/checkpoints", "figures")  # fmt: skip


def version_of_answers(results: Path, runs: Iterable[str]) -> str:
    """Return 12 hexadecimal digits that change when accuracies or predictions of one of the `runs` in `results` do.

    Raises UserError that names a run without results, and the runs that have some.
    """
    paths = []
    for run in runs:
        folder = results / run
        if not (folder / "accuracy.csv").is_file():
            finished = sorted(path.parent.name for path in results.glob("*/accuracy.csv"))
            raise UserError(
                f"there is no run {run} to compare: {folder}/accuracy.csv does not exist in {Path.cwd()}; runs "
                f"that are there: {', '.join(finished) or 'none'}. A comparison makes no run: make it first, "
                "with its settings."
            )
        paths += [folder / "accuracy.csv", *sorted(folder.glob("split*/seed*/*/predictions.csv"))]
    return _version(paths)


def version_of_runs(results: Path) -> str:
    """Return 12 hexadecimal digits that change when what an overview shows of a run in `results` does."""
    runs = sorted(path for path in results.glob("[!.]*") if path.is_dir())
    read = [path for run in runs for pattern in READ_OF_A_RUN for path in sorted(run.glob(pattern))]
    return _version([*runs, *read])


def _version(paths: Iterable[Path]) -> str:
    """Return 12 hexadecimal digits of the paths and the contents of files; of folders, the paths count alone."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()[:12]
