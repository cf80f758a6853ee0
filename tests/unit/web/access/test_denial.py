"""Denials: told, but never so often that the log drowns."""

import pytest

from trimtab.web.access import denial
from trimtab.web.access.denial import Denials


def test_like_denials_are_told_once_in_a_while_with_their_number(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(denial.time, "monotonic", lambda: now[0])
    denials = Denials()
    for _ in range(1000):
        denials.note(401, "GET", "/runs")
    denials.note(403, "POST", "/runs", "ci")
    denials.note(404, "GET", "")
    assert [record.getMessage() for record in caplog.records] == [
        "denied: 401 GET /runs",
        "denied: 403 POST /runs to token:ci",
        "denied: 404 GET elsewhere",
    ]
    now[0] += 11
    denials.note(401, "GET", "/runs")
    assert caplog.records[-1].getMessage() == "denied: 401 GET /runs (999 more since it was told last)"


def test_what_is_remembered_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    denials = Denials()
    for number in range(5000):
        denials.note(403, "GET", f"/route/{number}")
    assert len(denials._told) <= 512
