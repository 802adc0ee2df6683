"""What is on the screen."""


def test_of_many_files_some_are_named_and_settings_are_left_out_of_what_failed(fresh):
    """The figures have 16 outputs; the audit is made to fail."""
    planned = fresh.run("--dry-run")
    assert "results/tiny/figures/landing.html" in planned and "… (16 in all)" in planned
    assert "mistakes.csv" not in planned.split("rule figures:")[1].split("reason:")[0]
    fresh.edit("workflow_scripts/audit.py", "def main() -> None:", "def main() -> None:\n    sys.exit(3)\n")
    failed = fresh.fail("audit")
    assert "Error in rule audit" in failed
    assert "--settings …" in failed and "faulty_videos" not in failed
