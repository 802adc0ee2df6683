import subprocess
import sys

import pytest

from helpers.paths import PROJECT


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_script_says_so_in_one_line(name, code):
    program = f"""
import os, signal, sys, time
from concurrent.futures import ThreadPoolExecutor
from video3d.common.console import run

def main():
    with ThreadPoolExecutor(2) as pool:
        pool.submit(time.sleep, 0.2)
        os.kill(os.getpid(), signal.{name})
        time.sleep(20)

sys.exit(run(main))
"""
    environment = {"PYTHONPATH": str(PROJECT / "workflow_scripts")}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=15
    )
    assert result.returncode == code
    assert result.stderr == "interrupted: run the same command again to finish\n"
