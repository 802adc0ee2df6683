"""What the tests of downloads share: a server that misbehaves as told, and little patience with it."""

import pytest

from helpers.unreliable_server import running
from video3d.fetch import http_session


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def short_pauses(monkeypatch):
    monkeypatch.setattr(http_session, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(http_session, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(http_session, "ATTEMPTS", 4)
