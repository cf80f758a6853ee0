"""What every ledger must do with idempotency keys; goes with `ledger_suite`, which says how to use it."""

import threading

import pytest

from trimtab.atoms.entry import GENESIS
from trimtab.atoms.error import LawBroken, LeaseLost, UsageError
from trimtab.testing.example_record import artifact, check, made
from trimtab.testing.ledger_suite import MakeLedger, chain_holds


class LedgerKeys:
    """Under one idempotency key an append happens once, whoever repeats it."""

    def test_the_same_append_again_writes_nothing_and_says_the_same(self, make: MakeLedger) -> None:
        ledger = make()
        records = made(1)
        first = ledger.append(records, key="upload 7")
        ledger.append(made(2))
        before = ledger.head()
        assert ledger.append(records, key="upload 7") == first == 3
        assert make().append(records, key="upload 7") == first
        assert ledger.head() == before
        assert chain_holds(ledger)

    def test_other_records_under_the_key_are_refused(self, make: MakeLedger) -> None:
        ledger = make()
        ledger.append(made(1), key="k")
        before = ledger.head()
        for other in (made(2), [*made(1)], []):
            with pytest.raises(UsageError, match="'k'"):
                ledger.append(other, key="k")
        assert make().head() == before

    def test_a_refused_append_leaves_the_key_free(self, make: MakeLedger) -> None:
        ledger = make()
        with pytest.raises(LawBroken):
            ledger.append([artifact(1)], key="k")
        assert ledger.append(made(2), key="k") == 3

    def test_an_append_that_finds_all_there_has_used_its_key(self, make: MakeLedger) -> None:
        ledger = make()
        judged = check(artifact(1).id)
        first = ledger.append([*made(1), judged])
        assert ledger.append([judged], key="k") == first
        ledger.append(made(2))
        assert ledger.append([judged], key="k") == first
        with pytest.raises(UsageError):
            ledger.append(made(3), key="k")

    def test_what_was_written_under_a_lease_stays_written(self, make: MakeLedger) -> None:
        """The retry of a promotion that happened is told so, also by a holder who has lost the lease since."""
        ledger = make()
        lease, records = ledger.take_lease("lead", "a", 10.0), made(1)
        assert lease is not None
        first = ledger.append(records, lease=lease, key="promote")
        ledger.give_lease(lease)
        assert ledger.append(records, lease=lease, key="promote") == first
        with pytest.raises(LeaseLost):
            ledger.append(made(2), lease=lease, key="promote again")

    def test_one_of_many_threads_writes(self, make: MakeLedger) -> None:
        ledgers = (make(), make())
        appends = [made(number) for number in range(5)]
        given: list[tuple[int, int]] = []
        failures: list[BaseException] = []

        def add(thread: int) -> None:
            try:
                for number, records in enumerate(appends):
                    given.append((number, ledgers[thread % 2].append(records, key=f"key {number}")))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(given) == 40
        assert len(set(given)) == 5, "one key gave several numbers"
        assert ledgers[0].head()[0] == 15
        assert chain_holds(ledgers[1])

    @pytest.mark.parametrize("key", ["", "a\nb", "a\x00b", "x" * 201])
    def test_what_is_no_key_is_refused(self, make: MakeLedger, key: str) -> None:
        ledger = make()
        with pytest.raises(UsageError, match="idempotency key"):
            ledger.append(made(1), key=key)
        assert ledger.head() == (0, GENESIS)
