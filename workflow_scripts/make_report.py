"""Write the page of `snakemake --report`: every figure and table, the workflow, and how long its jobs took.

In: the Snakefile, and the results of a run in the current folder. Out: one HTML file.

Example: python workflow_scripts/make_report.py --snakefile Snakefile --settings '{run: reference}' --output report.html
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path


def main() -> None:
    """Let Snakemake write its report."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="report_") as folder:
        settings, page = Path(folder, "config.yaml"), Path(folder, "report.html")
        settings.write_text(arguments.settings, encoding="utf-8")
        if subprocess.run(report_command(arguments.snakefile, settings, page)).returncode:
            raise UserError("Snakemake made no report; the lines above say why")
        with atomic_path(arguments.output) as output:
            output.write_bytes(page.read_bytes())


def report_command(snakefile: Path, settings: Path, page: Path) -> list[str]:
    """Return the call of Snakemake that writes `page`, with these settings and nothing else of the user's.

    The call that this script runs in has locked the folder; here nothing is made that could need a lock.
    """
    return [
        sys.executable, "-P", "-m", "snakemake", "--snakefile", str(snakefile), "--report", str(page),
        "--configfile", str(settings), "--replace-workflow-config", "--nolock",
        "--profile", "none", "--workflow-profile", "none",
    ]  # fmt: skip


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snakefile", type=Path, required=True, help="the Snakefile that made the run")
    parser.add_argument("--settings", required=True, help="settings of the run, as JSON or YAML")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run(main))
