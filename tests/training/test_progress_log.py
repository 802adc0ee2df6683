import logging
import re
from pathlib import Path

import pytest

from video3d.common.errors import UserError
from video3d.common.settings import ClipSettings, TrainSettings
from video3d.dataset.split_table import Video
from video3d.model.resnet3d import build_network
from video3d.training import progress_log
from video3d.training.checkpoint import State, Totals
from video3d.training.progress_log import (
    explain_exhausted_memory,
    format_duration,
    history_row,
    log_cpu_time,
    log_epoch,
    log_start,
    log_time_left,
    progress_values,
    require_finite_loss,
    training_operations,
    warn_of_large_frames,
)

VIDEO = Video("v_Archery_g01_c01", "Archery", 0, 1, "train", 30)


def test_a_cpu_says_how_long_the_full_network_takes(caplog):
    caplog.set_level(logging.INFO)
    network = build_network({"depth": 10, "width": 8}, 101)
    epochs = TrainSettings().epochs
    log_cpu_time(training_operations(network, ClipSettings(frames=16, size=112), 9537 * epochs), 1)
    assert "will take about" in caplog.text and "model: width" in caplog.text
    caplog.clear()
    log_cpu_time(training_operations(network, ClipSettings(frames=4, size=16), 10 * epochs), 1)
    assert not caplog.text


def test_going_on_with_other_software_is_said(caplog):
    began = State(step=3, software={"device": "gpu", "versions": {"paddle": "3.3.1"}, "commit": "a"})
    equal = {"device": "gpu", "versions": {"paddle": "3.3.1"}, "commit": "b"}
    log_start(began, 2, Path("checkpoints"), equal)
    assert "bit for bit" not in caplog.text
    log_start(began, 2, Path("checkpoints"), equal | {"device": "cpu"})
    assert "its device: gpu until now, cpu from now on; the weights will not be those" in caplog.text


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State(), ""),
        (State(epoch=2), "going on from epoch 2, step 1, of checkpoints"),
        (State(step=3), "going on from epoch 1, step 4, of checkpoints"),
        (State(epoch=3), "this training is already finished: its weights are taken from checkpoints"),
    ],
)
def test_where_a_training_starts_is_said(caplog, state, expected):
    caplog.set_level(logging.INFO)
    log_start(state, 2, Path("checkpoints"), {})
    assert caplog.messages == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("short_side", "size", "smallest_crop", "enough"),
    [(240, 112, 0.66, None), (240, 56, 0.66, 170), (170, 56, 0.66, None), (240, 112, 1.0, 224), (225, 112, 1.0, 224)],
)
def test_frames_much_larger_than_what_is_seen_are_said(caplog, short_side, size, smallest_crop, enough):
    """More than twice as large: 0.66 · 170 = 112 = 2 · 56."""
    warn_of_large_frames(short_side, size, smallest_crop)
    expected = f"short side of {short_side} pixels.*clip: size: {size}; frames: .short_side: {enough}."
    assert re.search(expected, caplog.text) if enough else not caplog.text


def test_rate_loss_and_waiting_stand_beside_the_bar():
    totals = Totals(clips=80, loss=120.0, correct=20, seconds=40.0, waiting=4.0)
    assert progress_values(totals) == {"clips/s": "2.0", "loss": "1.500", "waiting": "10%"}


def test_an_epoch_is_one_line_and_one_row(caplog):
    caplog.set_level(logging.INFO)
    totals = Totals(clips=80, loss=120.0, correct=20, seconds=40.0, waiting=4.0)
    row = history_row(State(epoch=3, totals=totals), 0.01) | {"validation_top1": 0.5}
    assert row.items() >= {"epoch": 3, "learning_rate": 0.01, "loss": 1.5, "top1": 0.25, "wait_share": 0.1}.items()
    log_epoch(row)
    expected = "epoch 3: loss 1.5000, top-1 25.0%, validation top-1 50.0%, 2.0 clips/s, 10% of 40 s waiting for data"
    assert expected in caplog.text


def test_the_time_on_a_cpu_is_the_operations_over_their_rate(caplog, monkeypatch):
    """6 · 10⁹ floating-point operations a clip (three passes, two each), threads at 60 % of 10⁹ a second."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress_log, "operations_per_second", lambda: 1e9)
    monkeypatch.setattr(progress_log, "multiply_adds", lambda *_: 10**9)
    log_cpu_time(training_operations(None, ClipSettings(frames=16, size=112), 2000), 2)
    assert "will take about 3 hours" in caplog.text  # 6e9 · 2000 / (2 · 0.6 · 1e9) = 10,000 s
    caplog.clear()
    log_cpu_time(training_operations(None, ClipSettings(frames=16, size=112), 1000), 4)
    assert "will take about 42 minutes" in caplog.text  # 2,500 s


def test_the_time_left_is_measured(caplog, tmp_path):
    """Epochs of 100 and 300 s, so 200 s each: 3 more are 600 s, and 2 trainings of 5 are 2,000 s."""
    caplog.set_level(logging.INFO)
    trainings = [tmp_path / f"split{split}" for split in range(4)]
    trainings[0].touch()
    history = [{"seconds": 100.0}, {"seconds": 300.0}]
    log_time_left(history, 5, trainings)
    log_time_left(history, 5, trainings[:2])
    log_time_left(history, 5, [])
    log_time_left(history, 2, trainings)
    alone = "epochs left: 3, about 10 minutes"
    others = "trainings left after this one: 2 of 4, about 33 minutes one at a time"
    assert caplog.messages == [f"{alone}; {others}", alone, alone]


def test_durations_are_rough():
    assert format_duration(42) == "42 s"
    assert [format_duration(seconds) for seconds in (660, 8000, 400_000)] == ["11 minutes", "2 hours", "5 days"]


def test_a_loss_that_is_no_number_names_the_videos():
    require_finite_loss(1.0, State(), [VIDEO])
    with pytest.raises(UserError, match=r"nan in epoch 1, step 1.*v_Archery_g01_c01"):
        require_finite_loss(float("nan"), State(), [VIDEO])


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("ResourceExhaustedError: Out of memory error on GPU 0")])
def test_exhausted_memory_says_what_to_lower(error):
    def function():
        raise error

    with pytest.raises(UserError, match=r"train: gradient_accumulation_steps.*batch_size"):
        explain_exhausted_memory(function)()


def test_other_errors_stay_what_they_are():
    def function():
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        explain_exhausted_memory(function)()
