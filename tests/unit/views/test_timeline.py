"""Timeline and stages: what happened lately, and how each stage stands."""

from itertools import islice, pairwise

from trimtab.atoms.action import Action
from trimtab.atoms.check import Check, Verdict
from trimtab.testing.example_year import MODEL
from trimtab.views.memory import Memory
from trimtab.views.timeline import RUNS_STAGE


def test_the_newest_come_first_and_no_more_than_asked(year: Memory) -> None:
    events = year.timeline.recent(50)
    assert len(events) == 50
    assert all(before.number > after.number for before, after in pairwise(events))


def test_kinds_narrow_it(year: Memory) -> None:
    assert {event.kind for event in year.timeline.recent(10, ("promote", "roll-back"))} == {
        "promote",
        "roll-back",
    }
    failed = year.timeline.recent(5, ("FAIL",))
    assert failed
    assert all(isinstance(event.record, Check) and event.record.verdict is Verdict.FAIL for event in failed)
    assert all(event.kind == "check" for event in year.timeline.recent(5, ("check",)))


def test_an_action_carries_its_end(year: Memory) -> None:
    (event,) = year.timeline.recent(1, ("roll-back",))
    assert event.closing is not None
    assert event.closing.made
    assert year.timeline.running() == []


def test_runs_that_people_log_crowd_nobody_out(year: Memory) -> None:
    memory = Memory(year.store)
    memory.refresh()
    before = memory.timeline.actions(20)
    run = Action(id="0" * 28, kind="run", stage=RUNS_STAGE, by="person:ada", at="2013-12-31T00:00:00Z")
    given = Action(
        id="1" * 28, kind="token-create", stage=RUNS_STAGE, by="person:ada", at="2013-12-31T00:00:00Z"
    )
    memory.take(run)
    assert memory.timeline.actions(20) == before
    assert memory.timeline.running() == []
    memory.take(given)
    assert memory.timeline.actions(1)[0].record == given
    assert [event.record for event in islice(memory.timeline.before(checks=False), 2)] == [given, run]


def test_a_stage_counts_and_shows_its_last_verdict(year: Memory) -> None:
    release = year.stages.of("release")
    assert release.verdict is Verdict.FAIL
    assert release.last is not None
    assert release.last.kind == "roll-back"
    assert release.ended is not None
    monitor = year.stages.of("monitor")
    assert sum(monitor.checks.values()) == 3 * len(year.windows.of(MODEL))
    assert year.stages.of("train").failed == 1
    assert year.stages.of("serve").last is None


def test_the_worst_verdict_of_the_last_judgement_counts(year: Memory) -> None:
    memory = Memory(year.store)
    worst = []
    for entry in year.store.ledger.entries():
        memory.take(entry.record)
        verdict = memory.stages.of("monitor").verdict
        if not worst or worst[-1] is not verdict:
            worst.append(verdict)
    assert Verdict.FAIL in worst
    assert worst[-1] is Verdict.PASS
