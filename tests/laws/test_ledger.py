"""Any history at all: SQLite, PostgreSQL and the fake say the same, and what they let in keeps the three laws."""

import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.entry import GENESIS, RECORD_NAMES, Entry, Record, chain_value, record_bytes
from trimtab.atoms.error import LawBroken, UsageError
from trimtab.engine.memo import Memo
from trimtab.ports.ledger import Ledger
from trimtab.testing.example_record import action, artifact, check, closing
from trimtab.testing.memory_ledger import MemoryLedger

#: One record each, whose references are picked from what the history holds so far; many break a law.
MOVE = st.tuples(
    st.sampled_from(["open", "policy", "thing", "judge", "close"]), st.tuples(*[st.integers(0, 7)] * 4)
)
HISTORY = st.lists(st.lists(MOVE, min_size=1, max_size=5), max_size=12)


class Teller:
    """Turns moves into records; it offers what exists, what never will, and what comes in the same append."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.checks: list[Check] = []

    def append(self, moves: list[tuple[str, tuple[int, ...]]]) -> list[Record]:
        return [self._record(move, numbers) for move, numbers in moves]

    def _record(self, move: str, numbers: tuple[int, ...]) -> Record:
        first, second, third, fourth = numbers
        if move == "thing":
            return artifact(first)
        if move == "judge":
            judged = check(
                artifact(first).id,
                number=second,
                baseline=artifact(third).id if third < 4 else None,
                evidence=artifact(fourth).id if fourth < 2 else None,
            )
            self.checks.append(judged)
            return judged
        if move == "close" and self.actions:
            things = tuple(artifact(number) for number in range(second % 3))
            judged_now = tuple(self.checks[-(third % 2) :] if third % 2 else ())
            return closing(self.actions[first % len(self.actions)], things, judged_now)
        reasons = tuple(item.id for item in self.checks[first : first + second % 2])
        opened = action(
            by="policy:gate" if move == "policy" else "person:ada",
            because=reasons,
            took=(artifact(third).id,) if third < 4 else (),
            parent=self.actions[-1].id if self.actions and fourth < 3 else None,
            key=str(first % 3),
        )
        self.actions.append(opened)
        return opened


def tell(history: list[list[tuple[str, tuple[int, ...]]]]) -> list[list[Record]]:
    """The appends of a history."""
    teller = Teller()
    return [teller.append(moves) for moves in history]


def outcome(ledger: Ledger, records: list[Record], key: str | None = None) -> str:
    """What an append came to."""
    try:
        return str(ledger.append(records, key=key))
    except (LawBroken, UsageError) as refused:
        return f"{type(refused).__name__}: {refused}"


def laws_hold(entries: list[Entry], appends: list[int]) -> None:
    """The port's contract, said again in another way: by looking at the whole at once."""
    place = {
        entry.record.id: (RECORD_NAMES[type(entry.record)], entry.seq)
        for entry in entries
        if not isinstance(entry.record, Closing)
    }
    assert len(place) == sum(not isinstance(entry.record, Closing) for entry in entries), "an id stands twice"
    closed = [entry.record.action for entry in entries if isinstance(entry.record, Closing)]
    assert len(closed) == len(set(closed)), "an action was closed twice"
    for entry in entries:
        record = entry.record
        last = next(end for end in appends if end >= entry.seq)
        first = max((end for end in appends if end < entry.seq), default=0) + 1
        if isinstance(record, Check):
            for item in (record.subjects.candidate, record.subjects.baseline, record.evidence):
                assert item is None or (place[item][0] == "artifact" and place[item][1] <= last)
        elif isinstance(record, Action):
            assert record.by.startswith("person:") or record.because or record.parent
            assert all(place[item][0] == "check" and place[item][1] < entry.seq for item in record.because)
            assert all(place[item][0] == "artifact" and place[item][1] < entry.seq for item in record.took)
        elif isinstance(record, Closing):
            assert place[record.action][0] == "action"
            assert place[record.action][1] < entry.seq
            assert all(place[item][0] == "artifact" and place[item][1] <= last for item in record.made)
            assert all(place[item][0] == "check" and place[item][1] <= last for item in record.judged)
        else:
            together = [item.record for item in entries if first <= item.seq <= last]
            assert any(isinstance(item, Closing) and record.id in item.made for item in together)


def both_say_the_same(real: Ledger, history: list[list[tuple[str, tuple[int, ...]]]]) -> None:
    """Tell a history to an empty ledger and to the fake; every other append has an idempotency key."""
    fake = MemoryLedger()
    appends = []
    for number, records in enumerate(tell(history)):
        key = f"key {number % 5}" if number % 2 else None
        said = outcome(fake, records, key)
        assert outcome(real, records, key) == said
        appends += [int(said)] if said.isdigit() else []
    entries = list(real.entries())
    assert list(fake.entries()) == entries
    laws_hold(entries, appends)


@given(HISTORY)
@settings(max_examples=60, deadline=None)
def test_sqlite_and_the_fake_agree_and_the_laws_hold(
    history: list[list[tuple[str, tuple[int, ...]]]],
) -> None:
    with TemporaryDirectory() as folder:
        real = SqliteLedger(Path(folder) / "ledger.sqlite")
        both_say_the_same(real, history)
        real.close()


@given(HISTORY)
@settings(max_examples=30, deadline=None)
def test_postgresql_and_the_fake_agree_and_the_laws_hold(
    postgres_url: str, history: list[list[tuple[str, tuple[int, ...]]]]
) -> None:
    real = PostgresLedger(f"{postgres_url}?schema=law{secrets.token_hex(6)}")
    both_say_the_same(real, history)
    real.close()


@given(HISTORY)
@settings(max_examples=60, deadline=None)
def test_replaying_what_was_let_in_gives_the_same_chain(
    history: list[list[tuple[str, tuple[int, ...]]]],
) -> None:
    first, second = MemoryLedger(), MemoryLedger()
    for records in tell(history):
        before = first.head()[0]
        outcome(first, records)
        if first.head()[0] > before:
            second.append([entry.record for entry in first.entries(after=before)])
    assert second.head() == first.head()


@given(HISTORY)
@settings(max_examples=60, deadline=None)
def test_a_memo_that_followed_knows_what_a_fresh_one_learns(
    history: list[list[tuple[str, tuple[int, ...]]]],
) -> None:
    ledger = MemoryLedger()
    followed = Memo(ledger)
    for records in tell(history):
        outcome(ledger, records)
        followed.refresh()
        fresh = Memo(ledger)
        assert followed.open_actions() == fresh.open_actions()
        for key in "012":
            assert followed.find(key) == fresh.find(key)
    opened = [entry.record for entry in ledger.entries() if isinstance(entry.record, Action)]
    ended = {entry.record.action for entry in ledger.entries() if isinstance(entry.record, Closing)}
    assert followed.open_actions() == [item for item in opened if item.id not in ended]


def changes(record: Record) -> list[Record]:
    """Records that differ from this one in a single field."""
    if isinstance(record, Artifact):
        return [
            msgspec.structs.replace(record, size_bytes=record.size_bytes + 1),
            msgspec.structs.replace(record, kind="model"),
        ]
    if isinstance(record, Closing):
        return [
            msgspec.structs.replace(record, outcome=Outcome.ABANDONED),
            msgspec.structs.replace(record, note="x"),
        ]
    if isinstance(record, Check):
        return [msgspec.structs.replace(record, says="all is well"), msgspec.structs.replace(record, at="")]
    return [msgspec.structs.replace(record, by="person:eve"), msgspec.structs.replace(record, at="")]


def breaks(entries: list[Entry]) -> list[int]:
    """Numbers of entries that do not follow from the one before."""
    chain, broken = GENESIS, []
    for entry in entries:
        body = record_bytes(entry.record)
        if entry.chain != chain_value(chain, RECORD_NAMES[type(entry.record)], body):
            broken.append(entry.seq)
        chain = entry.chain
    return broken


@given(HISTORY, st.data())
@settings(max_examples=60, deadline=None)
def test_changing_any_entry_breaks_the_chain_there(
    history: list[list[tuple[str, tuple[int, ...]]]], data: st.DataObject
) -> None:
    ledger = MemoryLedger()
    ledger.append([action()])
    for records in tell(history):
        outcome(ledger, records)
    entries = list(ledger.entries())
    assert breaks(entries) == []
    place = data.draw(st.integers(0, len(entries) - 1))
    changed = data.draw(st.sampled_from(changes(entries[place].record)))
    entries[place] = msgspec.structs.replace(entries[place], record=changed)
    assert breaks(entries) == [place + 1]
    del entries[place]
    if place < len(entries):
        assert breaks(entries) == [place + 2]
