"""Call a script in this process: what its command line would do, without the start of an interpreter."""

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from unittest import mock

from video3d.common.console import run


def call(main: Callable[[], None], *arguments: object) -> subprocess.CompletedProcess:
    """Run a script's `main` with these arguments, as its last line does; exit code and standard error come back."""
    with contextlib.redirect_stderr(io.StringIO()) as error, mock.patch.object(sys, "argv", ["", *map(str, arguments)]):
        code = run(main)
    return subprocess.CompletedProcess(arguments, code, stderr=error.getvalue())
