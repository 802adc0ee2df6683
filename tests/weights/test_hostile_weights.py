"""Files that were made to crash, hang or fill a reader of weights are refused, within bounds of memory and time."""

import json

from helpers.hostile_weights import HOSTILE
from helpers.paths import PROJECT

FILES = 20_000
WITH_TESTS = f"{PROJECT / 'workflow_scripts'}:{PROJECT / 'tests'}"


def test_no_file_crashes_hangs_or_takes_more_than_its_share(tmp_path, start_python):
    """The share: 64 MB or three times the file, whichever is more, and ten seconds."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in HOSTILE.items():
        (folder / name).write_bytes(content())
    code = "from helpers.limited_reading import main; main()"
    answers, _ = start_python(code, *map(str, folder.iterdir()), PYTHONPATH=WITH_TESTS).communicate(timeout=600)
    verdicts = {answer["name"]: answer for answer in map(json.loads, answers.splitlines())}
    assert verdicts.keys() == HOSTILE.keys()
    unrefused = {name: found for name, found in verdicts.items() if not found["verdict"].startswith(str(folder / name))}
    assert unrefused == {}


def test_thousands_of_mutated_files_are_read_or_refused(start_python):
    code = f"from helpers.fuzzing import main; main({FILES}, seed=15)"
    answer, _ = start_python(code, PYTHONPATH=WITH_TESTS).communicate(timeout=600)
    found = json.loads(answer)
    assert found["failures"] == []
    assert sum(found["counts"].values()) == FILES
    assert min(found["counts"][verdict] for verdict in ("read", "refused")) > FILES / 100  # some of both
