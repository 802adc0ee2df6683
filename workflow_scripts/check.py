"""Check and measure the device: is what it computes right, how fast is it, what to set.

Compares a small network with golden values, precisions, processes and inference engines with each other; measures the
network of the default run. Prints a table with a verdict a line, then what to set. Each check runs in a process of its
own, so none stops the others; exit code 1 if any is wrong. Out: check.json, for reports of faults.
"""

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["auto", "gpu", "cpu"], default="auto")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="CPU threads of Paddle")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement, at least (default: 5)")
    parser.add_argument("--output", type=Path, default=Path("check.json"), help="output: all that was found")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.common.settings import resolve
from video3d.common.versions import git_commit, package_versions
from video3d.compute.device import gpu_problem
from video3d.device_check import correctness, speed
from video3d.device_check.advice import advise, sentences
from video3d.device_check.rows import WRONG, Check, Row, run_checks

BATCH_SIZES = {"cpu": (2, 8), "gpu": (16, 64, 128)}
HALVES = ("bfloat16", "float16")


def plan(device: str, threads: int, seconds: float) -> list[Check]:
    """Return what is checked on "cpu" or "gpu"; what cannot be done there says so itself."""
    here = device, threads
    checks = [
        Check("logits", correctness.logits, here),
        Check("losses", correctness.losses, here),
        *(Check(name, correctness.half_precision, (*here, name)) for name in HALVES),
        Check("two processes", correctness.two_processes, here),
        *(Check(f"engine {name}", correctness.engine, (*here, name)) for name in ("plain", "onednn", "tensorrt")),
        Check("same bits", correctness.same_bits, (*here, False)),
        Check("same bits, deterministic", correctness.same_bits, (*here, True)),
    ]
    for precision in ("float32", *HALVES) if device == "gpu" else ("float32",):
        for batch in BATCH_SIZES[device]:
            arguments = (*here, batch, precision, seconds)
            checks.append(Check(f"training {precision}, batch {batch}", speed.training, arguments))
    checks.append(Check("evaluation", speed.evaluation, (*here, BATCH_SIZES[device][-1], seconds)))
    workers = sorted({2**power for power in range(threads.bit_length())} | {threads})
    return checks + [Check(f"loader, threads: {count}", speed.loader, (count, seconds)) for count in workers]


def check(first: Check, planned: Sequence[Check]) -> list[Row]:
    """Run all checks; print each row as soon as it is known."""
    rows = []
    for row in run_checks([first, *planned]):
        text = textwrap.shorten(row.text, 200, placeholder=" …")
        print(f"{row.name:<28}{row.verdict:<9}{text}", flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Check, print, write; exit with 1 if something is wrong."""
    options = parse_arguments()
    if options.threads < 1 or options.seconds <= 0:
        raise UserError("--threads and --seconds must be more than 0")
    asked = options.device
    device = "cpu" if (asked == "auto" and gpu_problem()) or asked == "cpu" else "gpu"
    first = Check("device", speed.describe_device, (device, options.threads))
    rows = check(first, plan(device, options.threads, options.seconds))
    advice = advise(rows, resolve({}))
    print(*sentences(advice), sep="\n")
    versions = package_versions("paddle", "numpy", "tensorrt")
    content = {"commit": git_commit(), "versions": versions, "threads": options.threads}
    content |= {"advice": advice, "rows": [row._asdict() for row in rows]}
    with atomic_path(options.output) as path:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if wrong := [row.name for row in rows if row.verdict == WRONG]:
        raise UserError(f"wrong: {', '.join(wrong)}; {options.output} says more: attach it to an issue")


if __name__ == "__main__":
    sys.exit(run(main))
