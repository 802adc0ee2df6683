"""Where the numbers come from."""

from pathlib import Path

import pytest

from video3d.report import provenance


def test_licence_and_citation_are_those_of_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = provenance.describe_citation()
    assert said["licence of the code"] == "Apache-2.0"
    assert "Hara, Kataoka, Satoh: Can Spatiotemporal 3D CNNs Retrace" in said["how to cite"]
    assert "Soomro, Zamir, Shah: UCF101" in said["how to cite"]
    monkeypatch.setattr(provenance, "CITATION", tmp_path / "CITATION.cff")
    assert provenance.describe_citation() == {}
