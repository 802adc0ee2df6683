"""What is said at the very end about a job that did not succeed: the last words in its log."""

from collections.abc import Mapping
from pathlib import Path


def name_of_job(rule: str, wildcards: Mapping[str, str]) -> str:
    """Return a job as people call it: `train (split 1, seed 7)`."""
    words = ", ".join(f"{name} {value}" for name, value in wildcards.items())
    return f"{rule} ({words})" if words else rule


def end_of_job(job: str, log: Path) -> str:
    """Return how `job` ended, in the words of its script if an error or the user ended it; empty if it did not say.

    The words are those that `video3d.common.console.run` prints last.
    """
    lines = _lines(log)
    starts = [number for number, line in enumerate(lines) if line.startswith(("error: ", "interrupted: "))]
    if not starts:
        return ""
    kind, _, words = "\n".join(lines[starts[-1] :]).partition(": ")
    return f"{kind} in {job}: {words}" + (f" (log: {log})" if kind == "error" else "")


def sudden_end_of_job(job: str, log: Path, on_a_cluster: bool = False) -> str:
    """Return what is said about a `job` that was killed or broke down: the last line of its log.

    A cluster's job that wrote nothing may have been refused, or its node does not see the folder.
    """
    if written := [line for line in _lines(log) if line.strip()]:
        return f"error in {job}: it ended after {written[-1]!r} (log: {log})"
    end = f"error in {job}: it ended without a word in its log, {log}"
    if not on_a_cluster:
        return end
    return (
        f"{end}. If the cluster refused it, its words are above, and the profile sets account and partition; "
        f"else every node must see {Path.cwd()} under this path (docs/clusters.md)"
    )


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
