import logging

import numpy as np
import pytest

from video3d.checkpoint import State
from video3d.config import resolve
from video3d.console import UserError
from video3d.data import Batch, Video
from video3d.resnet3d import build_network
from video3d.training import Job
from video3d.watching import announce, duration, explain_exhausted_memory, stop_unless_finite

VIDEO = Video("v_Archery_g01_c01", "Archery", 0, 1, "train", 30)


def job(videos, **settings):
    return Job(resolve(settings), ["Archery"], [VIDEO] * videos, [], {}, 1, None, "key")


def test_a_cpu_says_how_long_the_full_network_takes(caplog):
    caplog.set_level(logging.INFO)
    network = build_network({"depth": 10, "width": 8}, 101)
    announce(job(9537, clip={"frames": 16, "size": 112}), State(), network)
    assert "will take about" in caplog.text and "model: width" in caplog.text
    caplog.clear()
    announce(job(10, clip={"frames": 4, "size": 16}), State(), network)
    assert not caplog.text


def test_durations_are_rough():
    assert [duration(seconds) for seconds in (660, 8000, 400_000)] == ["11 minutes", "2 hours", "5 days"]


def test_a_loss_that_is_no_number_names_the_videos():
    batch = Batch([VIDEO], np.zeros((1, 1, 1, 1, 3), np.uint8))
    stop_unless_finite(1.0, State(), batch)
    with pytest.raises(UserError, match=r"nan in epoch 1, step 1.*v_Archery_g01_c01"):
        stop_unless_finite(float("nan"), State(), batch)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("ResourceExhaustedError: Out of memory error on GPU 0")])
def test_exhausted_memory_says_what_to_lower(error):
    def function():
        raise error

    with pytest.raises(UserError, match=r"train: accumulate.*batch_size"):
        explain_exhausted_memory(function)()


def test_other_errors_stay_what_they_are():
    def function():
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        explain_exhausted_memory(function)()
