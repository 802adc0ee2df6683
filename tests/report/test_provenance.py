"""Where the numbers come from."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from video3d.report import provenance


def test_licence_and_citation_are_those_of_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = provenance.describe_citation()
    assert said["licence of the code"] == "Apache-2.0"
    assert "Hara, Kataoka, Satoh: Can Spatiotemporal 3D CNNs Retrace" in said["how to cite"]
    assert "Soomro, Zamir, Shah: UCF101" in said["how to cite"]
    monkeypatch.setattr(provenance, "CITATION", tmp_path / "CITATION.cff")
    assert provenance.describe_citation() == {}


def test_devices_are_those_that_the_trainings_noted() -> None:
    """Two trainings of an hour on two GPUs each, and one of an early version that noted neither device nor time."""
    gpu = {"train": {"devices": 2}, "device": "gpu", "attempts": [{"seconds": 3600, "device": "gpu"}]}
    trainings = {(1, 7): gpu, (2, 7): gpu, (3, 7): {"train": {"devices": 1}}}
    said = provenance.describe_devices(SimpleNamespace(trainings=trainings, evaluations={}))
    assert said == "gpu (2 trainings), a device that was not noted (1 training), 4 GPU-hours"
    given = SimpleNamespace(trainings={}, evaluations={})
    assert provenance.describe_devices(given) == "not trained in this run"
