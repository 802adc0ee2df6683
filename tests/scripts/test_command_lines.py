"""What a script answers before it imports Paddle, and what a log keeps of what Paddle prints."""

import subprocess
import sys

import pytest

from helpers.paths import PROJECT

SCRIPTS = PROJECT / "workflow_scripts"
NOISE = """\
extension_utils.py:712: UserWarning: No ccache found. Please be aware that recompiling may be required.
  warnings.warn(warning_message)
WARNING: OMP_NUM_THREADS set to 2, not 1. The computation speed will not be optimized.
PLEASE USE OMP_NUM_THREADS WISELY.
norm.py:885: UserWarning: When training, we now always track global mean and variance.
  warnings.warn(
W1125 06:17:02.787808 23612 eager_utils.cc:3584] Paddle static graph(PIR) not support input out tensor for now!!!!!
ReduceMeanCheckIfOneDNNSupport
"""


@pytest.mark.parametrize(
    "name", ["check_weights", "evaluate", "export", "export_onnx", "predict", "summarise_network", "train"]
)
def test_arguments_are_looked_at_before_paddle_is_imported(name):
    program = "import runpy, sys; sys.modules |= dict.fromkeys(['paddle', 'pandas', 'scipy'])\n"
    program += "runpy.run_path(sys.argv[1], run_name='__main__')"
    command = [sys.executable, "-c", program, SCRIPTS / f"{name}.py", "--nonsense"]
    result = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SCRIPTS)})
    assert result.returncode == 2
    assert "error: " in result.stderr and "Traceback" not in result.stderr


def test_a_log_has_no_line_of_paddles_that_helps_nobody(tmp_path):
    """Other warnings stay, with the line of code that Python prints below each."""
    kept = "x.py:1: UserWarning: the loss is no number\n  warnings.warn(message)\nepoch 1: loss 2.0\n"
    (tmp_path / "script.py").write_text(f"print({NOISE + kept + NOISE!r}, end='')")
    log = tmp_path / "log"
    shell = ["bash", SCRIPTS / "logged.sh", sys.executable, tmp_path / "script.py", "--log", log]
    done = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert done.stdout == log.read_text() == kept
