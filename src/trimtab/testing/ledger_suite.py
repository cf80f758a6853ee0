"""What every ledger must do. Subclass each class in a test module that has the fixture `make`.

`make(wall=clock)` opens a ledger that is empty at first; called again in one test it opens the same ledger
again, as another process would (or gives the same object, where there is no place to open). `wall` is the
function that says the seconds since 1970 by which leases end; it may be left out. `ledger_key_suite` goes on.
"""

import threading
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import pytest

from trimtab.atoms.action import Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.entry import GENESIS, RECORD_NAMES, Record, chain_value, record_bytes
from trimtab.atoms.error import LawBroken, LeaseLost, UsageError
from trimtab.ports.ledger import Ledger
from trimtab.testing.example_record import action, artifact, check, closing, made
from trimtab.testing.manual_clock import ManualClock


class MakeLedger(Protocol):
    """The fixture `make`."""

    def __call__(self, *, wall: Callable[[], float] = ...) -> Ledger:
        """Open the test's ledger."""
        ...


def chain_holds(ledger: Ledger) -> bool:
    """Whether numbers have no gap and each chain value follows from the one before and the record's bytes."""
    chain, seq = GENESIS, 0
    for entry in ledger.entries():
        seq, chain = (
            seq + 1,
            chain_value(chain, RECORD_NAMES[type(entry.record)], record_bytes(entry.record)),
        )
        if (entry.seq, entry.chain) != (seq, chain):
            return False
    return ledger.head() == (seq, chain)


class LedgerAppends:
    """Atomic, numbered, chained, and the same thing only once."""

    def test_empty(self, make: MakeLedger) -> None:
        ledger = make()
        assert ledger.head() == (0, GENESIS)
        assert list(ledger.entries()) == []

    def test_records_come_back_as_written_numbered_and_chained(self, make: MakeLedger) -> None:
        ledger = make()
        records = made(1, 2)
        assert ledger.append(records) == 4
        assert [entry.record for entry in ledger.entries()] == records
        assert ledger.append(made(3)) == 7
        assert chain_holds(ledger)

    def test_an_append_with_one_bad_record_leaves_nothing(self, make: MakeLedger) -> None:
        ledger = make()
        with pytest.raises(LawBroken):
            ledger.append([*made(1), artifact(2)])
        assert ledger.head() == (0, GENESIS)
        assert ledger.find(artifact(1).id) is None

    def test_the_same_artifact_and_check_again_are_passed_over(self, make: MakeLedger) -> None:
        ledger = make()
        thing = artifact(1)
        first, again = check(thing.id, at=1), check(thing.id, at=2)
        ledger.append([*made(1), first])
        ledger.append([*made(1, 1), again])
        kinds = [RECORD_NAMES[type(entry.record)] for entry in ledger.entries()]
        assert kinds == ["action", "artifact", "closing", "check", "action", "closing"]
        assert ledger.find(first.id) == first

    def test_a_whole_number_for_a_float_is_the_same_check(self, make: MakeLedger) -> None:
        ledger = make()
        wrote = check(artifact(1).id, number=3)
        odd = msgspec.structs.replace(wrote, reading=msgspec.structs.replace(wrote.reading, value=3))
        assert ledger.append([*made(1), odd]) == ledger.append([wrote])
        assert chain_holds(ledger)

    def test_many_threads_at_once_lose_and_mix_nothing(self, make: MakeLedger) -> None:
        first, second = make(), make()
        failures: list[BaseException] = []

        def add(ledger: Ledger, number: int) -> None:
            try:
                for step in range(10):
                    ledger.append(made(number * 100 + step))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=add, args=((first, second)[n % 2], n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        entries = list(first.entries())
        assert len(entries) == 8 * 10 * 3
        assert chain_holds(second)
        for opened in range(0, len(entries), 3):
            trio = [entry.record for entry in entries[opened : opened + 3]]
            assert isinstance(trio[2], Closing)
            assert isinstance(trio[1], Artifact)
            assert trio[2].made == (trio[1].id,)


class LedgerReading:
    """What was written is found: by number, by id, by the beginning of an id, by whoever opens it."""

    def test_entries_after_a_number_up_to_a_limit(self, make: MakeLedger) -> None:
        ledger = make()
        ledger.append(made(*range(2500)))
        assert [entry.seq for entry in ledger.entries()] == list(range(1, 2503))
        assert [entry.seq for entry in ledger.entries(after=2500)] == [2501, 2502]
        assert [entry.seq for entry in ledger.entries(after=5, limit=3)] == [6, 7, 8]
        assert list(ledger.entries(after=1, limit=0)) == []
        assert list(ledger.entries(after=9999)) == []
        assert [entry.seq for entry in ledger.entries(limit=1500)] == list(range(1, 1501))

    def test_find_by_id(self, make: MakeLedger) -> None:
        ledger = make()
        opened, thing, end = made(1)
        judged = check(artifact(1).id)
        ledger.append([opened, thing, end, judged])
        assert isinstance(end, Closing)
        assert ledger.find(end.action) == opened
        assert ledger.find(artifact(1).id) == thing
        assert ledger.find(judged.id) == judged
        assert ledger.find("0" * 64) is None

    def test_find_by_the_beginning_of_an_id(self, make: MakeLedger) -> None:
        ledger = make()
        ledger.append(made(*range(20)))
        for number in range(20):
            wanted = artifact(number)
            assert wanted in ledger.starting_with(wanted.id[:8].upper())
        assert ledger.starting_with("0" * 40) == []
        opened = next(ledger.entries()).record
        assert not isinstance(opened, Closing)
        assert ledger.starting_with(opened.id, limit=5) == [opened]

    @pytest.mark.parametrize("typed", ["", "abc", "12345", "hello world", "' OR 1=1 --", "abcdef%"])
    def test_what_is_no_beginning_of_an_id_is_refused(self, make: MakeLedger, typed: str) -> None:
        with pytest.raises(UsageError, match="hexadecimal"):
            make().starting_with(typed)

    def test_what_one_writes_another_reads(self, make: MakeLedger) -> None:
        first, second = make(), make()
        first.append(made(1))
        assert second.head() == first.head()
        assert second.find(artifact(1).id) == artifact(1)
        second.append(made(2))
        assert [entry.seq for entry in first.entries(after=3)] == [4, 5, 6]


def _known() -> tuple[list[Record], dict[str, Any]]:
    """A ledger's beginning, and its records by name."""
    opened = action()
    thing, other = artifact(1), artifact(2)
    judged = check(thing.id)
    still_open = action(1)
    records: list[Record] = [
        opened,
        thing,
        other,
        judged,
        closing(opened, (thing, other), (judged,)),
        still_open,
    ]
    return records, {"thing": thing, "judged": judged, "closed": opened, "open": still_open}


#: Appends that break a law, by what is wrong with them.
BROKEN: dict[str, Callable[[dict[str, Any]], list[Record]]] = {
    "a check of a thing that is not there": lambda known: [check("f" * 64)],
    "a check against a baseline that is not there": lambda known: [
        check(known["thing"].id, baseline="f" * 64)
    ],
    "a check with evidence that is not there": lambda known: [check(known["thing"].id, evidence="f" * 64)],
    "a check of a check": lambda known: [check(known["judged"].id)],
    "a decision by a policy without a reason": lambda known: [action(2, by="policy:gate")],
    "a decision by a token without a reason": lambda known: [action(2, by="token:ci")],
    "a decision because of a check that is not there": lambda known: [action(2, because=("f" * 64,))],
    "a decision because of a thing": lambda known: [action(2, because=(known["thing"].id,))],
    "a decision that takes what is not there": lambda known: [action(2, took=("f" * 64,))],
    "a decision that takes a check": lambda known: [action(2, took=(known["judged"].id,))],
    "a step of nothing": lambda known: [action(2, by="policy:gate", parent="f" * 28)],
    "a thing without a maker": lambda known: [artifact(9)],
    "a thing made by a closing of another thing": lambda known: [
        closing(known["open"], (artifact(8),)),
        artifact(9),
    ],
    "a closing that made what is not there": lambda known: [closing(known["open"], (artifact(9),))],
    "a closing that judged what is not there": lambda known: [
        closing(known["open"], judged=(check(known["thing"].id, number=9),))
    ],
    "a closing of nothing": lambda known: [closing(action(2))],
    "a closing before its action": lambda known: [closing(late := action(2)), late],
    "a second closing": lambda known: [closing(known["closed"])],
    "two closings in one append": lambda known: [closing(known["open"]), closing(known["open"])],
    "an action a second time": lambda known: [known["open"]],
    "an action twice in one append": lambda known: [twice := action(2), twice],
    "an artifact under another's id": lambda known: [
        forged := msgspec.structs.replace(artifact(9), id="e" * 64),
        closing(known["open"], (forged,)),
    ],
    "a check that says something else than its id": lambda known: [
        msgspec.structs.replace(check(known["thing"].id, number=9), says="all is well")
    ],
}


class LedgerLaws:
    """No judgement without a thing, no decision without a judgement, no thing without a maker."""

    @pytest.mark.parametrize("what", BROKEN)
    def test_a_broken_law_is_refused_and_names_the_record(self, make: MakeLedger, what: str) -> None:
        ledger = make()
        beginning, known = _known()
        before = ledger.append(beginning)
        bad = BROKEN[what](known)
        with pytest.raises(LawBroken) as refused:
            ledger.append(bad)
        names = [item.action if isinstance(item, Closing) else item.id[:12] for item in bad]
        assert any(name in str(refused.value) for name in names)
        assert ledger.head()[0] == before

    def test_a_policy_decides_on_a_check_or_in_a_larger_action(self, make: MakeLedger) -> None:
        ledger = make()
        beginning, known = _known()
        ledger.append(beginning)
        answer = action(2, by="policy:gate", because=(known["judged"].id,), took=(known["thing"].id,))
        ledger.append([answer])
        assert ledger.append([action(3, by="policy:gate", parent=answer.id)]) == len(beginning) + 2

    def test_check_and_thing_may_come_in_one_append_in_any_order(self, make: MakeLedger) -> None:
        ledger = make()
        opened, thing, proof = action(), artifact(1), artifact(2)
        judged = check(thing.id, evidence=proof.id)
        records: list[Record] = [opened, judged, closing(opened, (thing, proof), (judged,)), thing, proof]
        assert ledger.append(records) == 5

    def test_a_closing_may_make_what_is_there_already(self, make: MakeLedger) -> None:
        ledger = make()
        ledger.append(made(1))
        opened = action(1)
        ledger.append([opened])
        assert ledger.append([closing(opened, (artifact(1),))]) == 5


class LedgerLeases:
    """One holder at a time, and a later one fences out the earlier."""

    def test_held_by_one_until_its_time_is_over(self, make: MakeLedger) -> None:
        clock = ManualClock()
        ledger, other = make(wall=clock.wall), make(wall=clock.wall)
        first = ledger.take_lease("lead", "a", 10.0)
        assert first is not None
        clock.advance(9.0)
        assert other.take_lease("lead", "b", 10.0) is None
        clock.advance(2.0)
        second = other.take_lease("lead", "b", 10.0)
        assert second is not None
        assert second.token > first.token
        assert ledger.take_lease("lead", "a", 10.0) is None

    def test_who_asks_again_in_time_keeps_the_token_and_gets_more_time(self, make: MakeLedger) -> None:
        clock = ManualClock()
        ledger = make(wall=clock.wall)
        first = ledger.take_lease("lead", "a", 10.0)
        clock.advance(8.0)
        assert ledger.take_lease("lead", "a", 10.0) == first
        clock.advance(8.0)
        assert ledger.take_lease("lead", "b", 10.0) is None

    def test_given_back_is_free_under_a_higher_token(self, make: MakeLedger) -> None:
        ledger = make()
        first = ledger.take_lease("lead", "a", 10.0)
        assert first is not None
        ledger.give_lease(first)
        second = ledger.take_lease("lead", "b", 10.0)
        assert second is not None
        assert second.token > first.token

    def test_giving_back_what_was_lost_takes_nothing_from_the_new_holder(self, make: MakeLedger) -> None:
        clock = ManualClock()
        ledger = make(wall=clock.wall)
        first = ledger.take_lease("lead", "a", 1.0)
        clock.advance(2.0)
        second = ledger.take_lease("lead", "b", 10.0)
        assert first is not None
        assert second is not None
        ledger.give_lease(first)
        assert ledger.take_lease("lead", "c", 10.0) is None
        ledger.append(made(1), lease=second)

    def test_a_lost_lease_writes_nothing(self, make: MakeLedger) -> None:
        clock = ManualClock()
        ledger = make(wall=clock.wall)
        first = ledger.take_lease("lead", "a", 1.0)
        ledger.append(made(1), lease=first)
        clock.advance(2.0)
        ledger.append(made(2), lease=first)  # late, but nobody has taken over yet
        second = ledger.take_lease("lead", "b", 1.0)
        assert second is not None
        with pytest.raises(LeaseLost, match="lead"):
            ledger.append(made(3), lease=first)
        ledger.give_lease(second)
        with pytest.raises(LeaseLost):
            ledger.append(made(3), lease=first)
        assert ledger.find(artifact(3).id) is None

    def test_names_do_not_touch_each_other(self, make: MakeLedger) -> None:
        ledger = make()
        assert ledger.take_lease("lead", "a", 10.0) is not None
        assert ledger.take_lease("step", "b", 10.0) is not None

    def test_one_of_many_threads_gets_it(self, make: MakeLedger) -> None:
        ledgers = (make(), make())
        taken: list[int] = []

        def take(number: int) -> None:
            if ledgers[number % 2].take_lease("lead", f"holder-{number}", 60.0) is not None:
                taken.append(number)

        threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == 1
