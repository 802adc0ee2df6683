"""What `make lint` checks of the imports is all that there is to check."""

import tomllib

from helpers.paths import PROJECT


def test_every_script_is_forbidden_to_the_library():
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (forbidden,) = (contract["forbidden_modules"] for contract in contracts if contract["type"] == "forbidden")
    assert forbidden == sorted(path.stem for path in (PROJECT / "workflow_scripts").glob("*.py"))
