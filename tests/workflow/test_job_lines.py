"""What is on the screen."""

import re


def test_of_many_files_some_are_named_and_settings_are_left_out_of_what_failed(fresh):
    """The figures have many outputs; the audit is made to fail."""
    planned = fresh.run("--dry-run")
    assert re.search(r"output: results/tiny/figures/.*, … \(\d+ in all\)", planned)
    assert "mistakes.csv" not in planned.split("rule figures:")[1].split("reason:")[0]
    fresh.edit("workflow_scripts/audit.py", "def main() -> None:", "def main() -> None:\n    sys.exit(3)\n")
    failed = fresh.fail("audit")
    assert "Error in rule audit" in failed
    assert "--settings …" in failed and "faulty_videos" not in failed


def test_a_dry_run_says_what_a_job_took_last_time(finished):
    planned = finished.run("--dry-run", "--forcerun", "audit")
    rows = (finished.folder / "benchmarks/audit/tiny.tsv").read_text().splitlines()
    assert f"benchmark: benchmarks/audit/tiny.tsv (took {rows[-1].split()[1]} last time)" in planned
