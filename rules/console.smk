"""What Snakemake prints of a job: some of its files, its last time, no settings; --printshellcmds has the whole commands."""

import csv
import logging
import re
from pathlib import Path

from snakemake.logging import logger

FILES_SHOWN = 6
LONGEST_REASON = 400  # characters


def last_time(benchmark: Path) -> str:
    """Return what the job of this benchmark took when it last ran, in words; nothing if it never did."""
    if not benchmark.is_file():
        return ""
    with benchmark.open(newline="", errors="replace") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return f" (took {rows[-1]['h:m:s']} last time)" if rows and rows[-1].get("h:m:s") else ""


class ShortLines(logging.Filter):
    """Shortens what is as long as the list of classes, or as all settings, and says what the job took last time."""

    def filter(self, record):
        """Let every record through."""
        for name in ("input", "output"):
            files = getattr(record, name, None)
            if isinstance(files, list) and len(files) > FILES_SHOWN:
                setattr(record, name, [*files[:FILES_SHOWN], f"… ({len(files)} in all)"])
        if len(reason := str(getattr(record, "reason", ""))) > LONGEST_REASON:
            record.reason = f"{reason[:LONGEST_REASON]} …"
        if benchmark := getattr(record, "benchmark", None):
            record.benchmark = f"{benchmark}{last_time(Path(benchmark))}"
        if command := getattr(record, "shellcmd", None):
            record.shellcmd = re.sub(r"--(settings|record) '[^']*'", r"--\1 …", command)
        return True


logger.addFilter(ShortLines())
