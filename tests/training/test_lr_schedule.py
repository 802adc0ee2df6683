import pytest

from video3d.common.settings import TrainSettings
from video3d.training.lr_schedule import learning_rate


def test_the_reference_divides_by_ten_from_epochs_16_and_21():
    settings = TrainSettings(schedule="step", learning_rate=0.01, milestones=[16, 21], epochs=25, warmup_epochs=0)
    rates = [learning_rate(settings, epoch, 0.5) for epoch in range(1, 26)]
    assert rates == pytest.approx([0.01] * 15 + [0.001] * 5 + [0.0001] * 5)


def test_cosine_falls_to_zero_over_all_steps():
    settings = TrainSettings(schedule="cosine", learning_rate=0.4, epochs=4, warmup_epochs=0)
    assert learning_rate(settings, 1, 0) == 0.4
    assert learning_rate(settings, 2, 1 / 3) == pytest.approx(0.4 * 0.75)  # a third of the way: (1 + cos 60°) / 2
    assert learning_rate(settings, 3, 0) == pytest.approx(0.2)
    assert learning_rate(settings, 4, 0.999) < 1e-5


def test_warm_up_grows_linearly_from_a_hundredth():
    settings = TrainSettings(schedule="cosine", learning_rate=1.0, epochs=6, warmup_epochs=2)
    assert learning_rate(settings, 1, 0) == pytest.approx(0.01)
    assert learning_rate(settings, 2, 0) == pytest.approx(0.505)
    assert learning_rate(settings, 3, 0) == pytest.approx(1.0)
    assert learning_rate(settings, 5, 0) == pytest.approx(0.5)  # half of the four epochs that are left


def test_a_plateau_divides_after_more_than_ten_epochs_without_improvement():
    settings = TrainSettings(schedule="plateau", learning_rate=1.0, epochs=200, warmup_epochs=0)
    assert learning_rate(settings, 1, 0, []) == 1
    still = [2.0, 1.0] + [1.0] * 10
    assert learning_rate(settings, 13, 0, still) == 1
    assert learning_rate(settings, 14, 0, [*still, 1.0]) == pytest.approx(0.1)
    assert learning_rate(settings, 25, 0, [*still, *[1.0] * 12]) == pytest.approx(0.01)
    assert learning_rate(settings, 25, 0, [*still, 0.5, *[0.6] * 9]) == 1
