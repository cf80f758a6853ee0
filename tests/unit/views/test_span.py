"""Spans: validated, late, quarantined, and free again."""

from datetime import UTC, datetime

import pytest

from trimtab.atoms.action import Outcome
from trimtab.atoms.check import Verdict
from trimtab.atoms.content.profile import Profile
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.testing.example_year import SOURCE
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.memory import Memory


class Rows:
    """A source with spans that a test fills and judges."""

    def __init__(self) -> None:
        self.store = memory_store()
        self.teller = Storyteller(self.store, datetime(2024, 1, 1, tzinfo=UTC))
        self.snapshot = ""
        self.profile = ""

    def bring(self, **spans: str) -> None:
        """Ingest spans with these rows."""
        held = tuple(
            Span(name=name, rows=len(rows), table=self.teller.part(rows.encode()))
            for name, rows in spans.items()
        )
        made = self.teller.thing(Snapshot(source="rows", columns=(), spans=held))
        took = [self.snapshot] if self.snapshot else []
        self.teller.tell("ingest", "ingest", "rows", took=took, made=[made])
        self.snapshot = made.id

    def judge(self, span: str, rows: str, verdict: Verdict = Verdict.PASS) -> None:
        """Validate a span of the newest snapshot; a failing one is quarantined."""
        profile = self.teller.thing(Profile(subject="rows", span=span, rows=len(rows), columns=()))
        check = self.teller.judgement("schema.type", profile, verdict, f"{span} looked at")
        self.teller.tell("validate", "validate", "rows", took=[self.snapshot], made=[profile], judged=[check])
        if verdict is Verdict.FAIL:
            self.teller.tell("validate", "quarantine", f"rows/{span}", took=[profile.id], because=[check])

    def state(self, span: str) -> tuple[bool, bool]:
        """(validated, quarantined)"""
        memory = Memory(self.store)
        memory.refresh()
        found = memory.spans.state("rows")[span]
        return found.validated, found.quarantined


@pytest.fixture
def rows() -> Rows:
    return Rows()


def test_a_span_is_validated_by_its_profile(rows: Rows) -> None:
    rows.bring(one="abc")
    assert rows.state("one") == (False, False)
    rows.judge("one", "abc")
    assert rows.state("one") == (True, False)


def test_late_rows_make_a_span_unvalidated_again(rows: Rows) -> None:
    rows.bring(one="abc")
    rows.judge("one", "abc")
    rows.bring(one="abcd", two="x")
    assert rows.state("one") == (False, False)
    rows.judge("one", "abcd")
    assert rows.state("one") == (True, False)


def test_another_span_leaves_a_validated_one_as_it_is(rows: Rows) -> None:
    rows.bring(one="abc")
    rows.judge("one", "abc")
    rows.bring(one="abc", two="x")
    assert rows.state("one") == (True, False)
    assert rows.state("two") == (False, False)


def test_a_failing_span_is_in_quarantine_until_its_rows_are_mended(rows: Rows) -> None:
    rows.bring(one="bad")
    rows.judge("one", "bad", Verdict.FAIL)
    assert rows.state("one") == (True, True)
    rows.bring(one="mended")
    assert rows.state("one") == (False, True)
    rows.judge("one", "mended")
    assert rows.state("one") == (True, False)


def test_a_failed_action_validates_nothing(rows: Rows) -> None:
    rows.bring(one="abc")
    rows.teller.tell("validate", "validate", "rows", took=[rows.snapshot], outcome=Outcome.FAILED)
    assert rows.state("one") == (False, False)


def test_the_year_has_two_spans_in_quarantine_with_reasons(year: Memory) -> None:
    held = {name: state for name, state in year.spans.state(SOURCE).items() if state.quarantined}
    assert held
    for state in held.values():
        check = year.store.ledger.find(state.because[0])
        assert check is not None
        assert "missing" in check.says


def test_the_first_snapshot_with_a_span_is_found(year: Memory) -> None:
    snapshots = year.spans.snapshots(SOURCE)
    assert year.spans.first_with(SOURCE, "2013-01") == snapshots[0]
    assert year.spans.first_with(SOURCE, "2013-02") == snapshots[1]
    assert year.spans.first_with(SOURCE, "1999-01") is None
    assert year.spans.snapshot(SOURCE) == snapshots[-1]
    assert year.spans.schema(SOURCE) is not None
