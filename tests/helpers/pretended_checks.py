"""Checks that fail in every way that a device can; processes that start anew find them here."""

import os
import signal
import time

from video3d.device_check.rows import OK, Finding


def works():
    return Finding(OK, "as it should be")


def raises():
    raise RuntimeError("CUDNN_STATUS_EXECUTION_FAILED")


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def leaves():
    os._exit(7)


def hangs():
    time.sleep(600)
