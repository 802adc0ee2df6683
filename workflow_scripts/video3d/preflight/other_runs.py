"""The runs that are there already, for a call that may have meant another one than its settings name."""

import re
from collections.abc import Iterable
from pathlib import Path

from video3d.common.errors import UserError

SHOWN = 10


def require_own_files(targets: Iterable[str], run: str, results: Path) -> None:
    """Raise UserError if a target is a file of another run than that of the settings; comparisons are of any run."""
    for target in targets:
        named = re.match(r"results/([^/]+)/(?!compare_)", target)
        if named and named[1] != run:
            raise UserError(
                f"{target} is a file of the run {named[1]}, and the settings are those of {run}; {advice(results)}"
            )


def hint(run: str, results: Path) -> str:
    """Return what to say to a call that begins a run beside others and names no settings; empty if there are none."""
    if (results / run).exists() or not finished_runs(results):
        return ""
    return f"this call begins the run {run}, by config.yaml; {advice(results)}"


def advice(results: Path) -> str:
    """Return which runs are finished, and how a call goes on with one of them."""
    runs = finished_runs(results)
    if not runs:
        return "name its settings with --configfile"
    more = f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else ""
    return (
        f"finished runs: {', '.join(runs[:SHOWN])}{more}. To go on with one of them: "
        f"--configfile {results}/{runs[0]}/config.yaml"
    )


def finished_runs(results: Path) -> list[str]:
    """Return the names of the runs whose settings are in `results`, the latest first."""
    settings = sorted(results.glob("*/config.yaml"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent.name for path in settings]
