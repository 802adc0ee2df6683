"""What a job prints goes through logged.sh: into the log and on, without what helps nobody."""

import subprocess
import sys

from helpers.paths import PROJECT

LOGGED = PROJECT / "workflow_scripts" / "logged.sh"
PRINTED = """\
before
/a/extension_utils.py:712: UserWarning: No ccache found. Please be aware
  warnings.warn(warning_message)
WARNING: OMP_NUM_THREADS set to 4, not 1. The computation speed will not be optimized
PLEASE USE OMP_NUM_THREADS WISELY.
between
b.py:1: UserWarning: No ccache found. Without the line that follows a warning
a line of ours
c.py:1: UserWarning: When training, we now always track global mean and variance.
  warnings.warn(
ReduceMeanCheckIfOneDNNSupport
after
"""
KEPT = """\
before
between
b.py:1: UserWarning: No ccache found. Without the line that follows a warning
a line of ours
after
"""


def test_known_noise_is_left_out_and_nothing_else(tmp_path):
    script, log = tmp_path / "script.py", tmp_path / "script.log"
    script.write_text(f"import sys\nsys.stderr.write({PRINTED!r})\nsys.exit(3)\n")
    result = subprocess.run(["bash", LOGGED, sys.executable, script, "--log", log], capture_output=True, text=True)
    assert (result.returncode, result.stdout, log.read_text()) == (3, KEPT, KEPT)
