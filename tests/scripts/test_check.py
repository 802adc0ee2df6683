"""check.py prints each row, writes check.json, and exits with 1 if something is wrong."""

import json

import pytest

import check
from helpers import pretended_checks as pretended
from helpers.script_call import call
from video3d.device_check.rows import Check


@pytest.mark.parametrize(("functions", "code"), [(["works"], 0), (["raises", "works"], 1)])
def test_the_exit_code_and_the_file(functions, code, tmp_path, monkeypatch, capsys):
    planned = [Check(name, getattr(pretended, name)) for name in functions]
    monkeypatch.setattr(check, "plan", lambda *arguments: planned)
    monkeypatch.setattr(check.speed, "describe_device", pretended.works)
    monkeypatch.setattr(check, "Check", lambda name, function, arguments: Check(name, function))
    done = call(check.main, "--device", "cpu", "--output", tmp_path / "check.json")
    assert done.returncode == code
    content = json.loads((tmp_path / "check.json").read_text())
    assert [row["name"] for row in content["rows"]] == ["device", *functions]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()][: len(functions) + 1] == [
        "device",
        *functions,
    ]
    assert ("error: wrong: raises" in done.stderr) == bool(code)
