"""summarise_network.py prints what is asked for, and refuses what is no network."""

import summarise_network
from helpers.script_call import call


def test_layers_of_the_reference(capsys):
    done = call(summarise_network.main, "--depth", "18", "--shortcut", "reference", "--num-classes", "101")
    lines = capsys.readouterr().out.splitlines()
    assert done.returncode == 0
    assert "trainable parameters: 33,615,781" in lines
    assert lines[-1] == "multiply-adds: 8,382,695,936 (8.38 × 10⁹) for a clip of 16×112×112"
    assert lines[1].split() == ["conv1", "64×16×56×56", "65,856", "3,304,390,656"]
    rows = [line.split() for line in lines[1:-2]]
    assert sum(int(row[2].replace(",", "")) for row in rows) == 33_615_781


def test_what_is_no_network_is_refused():
    done = call(summarise_network.main, "--num-classes", "0")
    assert done.returncode == 1
    assert "error: --num-classes must be at least 1, not 0" in done.stderr
    assert "Traceback" not in done.stderr
