"""Incidents: what went wrong, from when until when, and because of which Checks."""

from datetime import UTC, datetime

import pytest

from trimtab.atoms.action import Outcome
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.incident import Incident
from trimtab.views.memory import Memory


@pytest.fixture
def teller() -> Storyteller:
    return Storyteller(memory_store(), datetime(2024, 1, 1, tzinfo=UTC))


def told(teller: Storyteller) -> list[Incident]:
    """The incidents of what was told, newest first."""
    memory = Memory(teller.store)
    memory.refresh()
    return list(memory.incidents.before())


def test_alerts_are_one_incident_until_another_champion_takes_over(teller: Storyteller) -> None:
    first = teller.tell("monitor", "alert", "m", note="loss")
    teller.tell("monitor", "alert", "m", note="loss again")
    teller.tell("monitor", "alert", "other", note="drift")
    end = teller.tell("release", "promote", "m")
    teller.tell("monitor", "alert", "m", note="anew")
    anew, other, alert = told(teller)
    assert (alert.kind, alert.action, alert.times, alert.says) == ("alert", first, 2, "loss again")
    assert alert.ended_by == end
    assert (other.subject, other.ended, anew.ended, anew.times) == ("other", None, None, 1)


def test_a_failure_lasts_until_the_same_work_is_done(teller: Storyteller) -> None:
    teller.tell("train", "train", "m", outcome=Outcome.FAILED, note="no memory")
    teller.tell("train", "train", "m", outcome=Outcome.ABANDONED)
    teller.tell("train", "train", "other")
    assert told(teller)[0].ended is None
    end = teller.tell("train", "train", "m")
    (failure,) = told(teller)
    assert (failure.kind, failure.stage, failure.times) == ("failure", "train", 2)
    assert failure.ended_by == end


def test_a_roll_back_ends_the_alert_and_is_over_itself(teller: Storyteller) -> None:
    teller.tell("monitor", "alert", "m")
    back = teller.tell("release", "roll-back", "m", note="errors")
    rolled, alert = told(teller)
    assert (rolled.kind, rolled.says, rolled.ended_by) == ("roll-back", "errors", back)
    assert alert.ended_by == back


def test_runs_that_people_log_may_fail_in_peace(teller: Storyteller) -> None:
    teller.tell("tracking", "run", "m", outcome=Outcome.FAILED)
    assert told(teller) == []


def test_they_are_read_from_any_place_on(teller: Storyteller) -> None:
    for number in range(4):
        teller.tell("monitor", "alert", f"m{number}")
    memory = Memory(teller.store)
    memory.refresh()
    assert [each.number for each in memory.incidents.before(3)] == [2, 1]
