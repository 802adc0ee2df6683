"""What Snakemake prints of a job: some of its files, and no settings; --printshellcmds has the whole commands."""

import logging
import re

from snakemake.logging import logger

FILES_SHOWN = 6
LONGEST_REASON = 1000  # characters


class ShortLines(logging.Filter):
    """Shortens what is as long as the list of classes, or as all settings."""

    def filter(self, record):
        """Let every record through."""
        for name in ("input", "output"):
            files = getattr(record, name, None)
            if isinstance(files, list) and len(files) > FILES_SHOWN:
                setattr(record, name, [*files[:FILES_SHOWN], f"… ({len(files)} in all)"])
        if len(reason := str(getattr(record, "reason", ""))) > LONGEST_REASON:
            record.reason = f"{reason[:LONGEST_REASON]} …"
        if command := getattr(record, "shellcmd", None):
            record.shellcmd = re.sub(r"--(settings|record) '[^']*'", r"--\1 …", command)
        return True


logger.addFilter(ShortLines())
