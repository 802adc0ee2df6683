import json

import numpy as np
import paddle
import pytest

from video3d.config import resolve
from video3d.console import UserError
from video3d.learner import Learner
from video3d.mixing import targets
from video3d.resnet3d import build_network
from video3d.team import Team, run_team

STEPS = 3


def learn(team, folder):
    """Three steps on batches of five clips, of which this process gets its share; writes losses and statistics."""
    settings = resolve({"model": {"depth": 10, "width": 4}, "clip": {"frames": 4, "size": 16}})
    paddle.seed(0)
    learner = Learner(build_network(settings["model"], 2), settings["clip"], settings["train"], team=team)
    rng = np.random.default_rng(0)
    losses = []
    for step in range(STEPS):
        clips = rng.integers(0, 256, (5, 4, 16, 16, 3), dtype=np.uint8)
        wanted = targets(rng.integers(0, 2, 5), 2)
        losses.append(learner.step(team.share(clips), team.share(wanted), 0.01, step)[0])
    facts = {
        "losses": losses,
        "mean": learner.network.bn1._mean.tolist(),
        "variance": learner.network.layer2[0].bn1._variance.tolist(),
        "weight": learner.network.fc.weight.numpy().ravel().tolist(),
        "videos": team.total(len(team.share(range(7)))),
    }
    (folder / f"{team.rank}.json").write_text(json.dumps(facts))


def fail(team):
    if team.rank == 1:
        raise UserError("video v_x is damaged")


def test_two_processes_learn_as_one_with_the_same_batch(tmp_path):
    learn(Team(), tmp_path)
    alone = json.loads((tmp_path / "0.json").read_text())
    run_team(2, "cpu", learn, tmp_path)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-4)
    for name in ("mean", "variance", "weight"):
        assert first[name] == second[name]
        assert first[name] == pytest.approx(alone[name], rel=1e-3, abs=1e-4)
    assert first["videos"] == [7]  # each video is validated once


def test_shares_are_disjoint_and_complete():
    for size in (1, 2, 3, 4):
        for length in (0, 1, 5, 8):
            parts = [Team(rank, size).share(range(length)) for rank in range(size)]
            assert [item for part in parts for item in part] == list(range(length))


def test_an_error_of_one_process_is_raised():
    with pytest.raises(UserError, match=r"^video v_x is damaged$"):
        run_team(2, "cpu", fail)
