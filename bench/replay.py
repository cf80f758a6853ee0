"""A ledger of 100,000 entries, read from SQLite into every view. Asserts nothing.

python bench/replay.py [ENTRIES]
"""
# ruff: noqa: T201 (it prints its result)

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from trimtab.adapters.local_store import open_store
from trimtab.atoms.action import Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check, check_of
from trimtab.atoms.entry import GENESIS, Record, chain_value, parse_record
from trimtab.engine.memo import Memo
from trimtab.engine.store import Store
from trimtab.testing.example_year import example_year
from trimtab.testing.memory_store import memory_store
from trimtab.views.memory import Memory

#: Columns that each window is judged by, beside what the made-up year judges: 40 Checks a window in all.
COLUMNS = tuple(f"column_{number}" for number in range(37))
#: Entries a day in such a ledger.
ENTRIES_A_DAY = 45
RUNS = 5


def fill(store: Store, entries: int) -> None:
    """The years of one model with a window a day, judged column by column as the real monitor judges."""
    origin = memory_store()
    example_year(origin, days=entries // ENTRIES_A_DAY)
    for blob in origin.blobs.stored():
        store.blobs.put(origin.blobs.get(blob.key))
    group: list[Record] = []
    for record in told(origin):
        group.append(record)
        if len(group) > 2000 and isinstance(record, Closing):
            store.ledger.append(group)
            group = []
    store.ledger.append(group)


def told(origin: Store) -> Iterator[Record]:
    """The records of the made-up year, with a Check more for each column of each window."""
    fresh: list[Check] = []
    windows: set[str] = set()
    for entry in origin.ledger.entries():
        record = entry.record
        if isinstance(record, Artifact) and record.kind == "window":
            windows.add(record.id)
        elif (
            isinstance(record, Check)
            and record.subjects.candidate in windows
            and record.name == "drift.location"
        ):
            fresh = [
                check_of(
                    rule=record.rule,
                    subjects=record.subjects,
                    about=column,
                    reading=record.reading,
                    limit=record.limit,
                    verdict=record.verdict,
                    says=record.says,
                    at=record.at,
                )
                for column in COLUMNS
            ]
            yield from fresh
        elif isinstance(record, Closing) and fresh:
            record = msgspec.structs.replace(record, judged=(*record.judged, *(check.id for check in fresh)))
            fresh = []
        yield record


def seconds(work: Callable[[], object]) -> str:
    """Median and extremes of some runs."""
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return f"{statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f}"


def rows_by_hand(path: Path) -> None:
    """What any reading must do: fetch the rows, prove the chain, parse the records."""
    chain = GENESIS
    with closing(sqlite3.connect(path)) as connection:
        for name, body, stored in connection.execute("SELECT name, body, chain FROM entry ORDER BY seq"):
            chain = chain_value(chain, name, body)
            assert chain == stored
            parse_record(name, body)


def main() -> None:
    """Print the table."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as place:
        store = open_store(Path(place) / "store")
        fill(store, entries)
        print(f"{store.ledger.head()[0]:,} entries\n")
        print("| what | s (median) | fastest | slowest |")
        print("|---|---|---|---|")
        works: dict[str, Callable[[], object]] = {
            "rows fetched, chained and parsed by hand": lambda: rows_by_hand(
                Path(place) / "store" / "ledger.sqlite"
            ),
            "`Ledger.entries`": lambda: sum(1 for _ in store.ledger.entries()),
            "`Memory.refresh`: every view": lambda: Memory(store).refresh(),
            "`Memory(lineage=True).refresh`: every view and the lineage": lambda: Memory(
                store, lineage=True
            ).refresh(),
            "`Memo.refresh`: the engine's own": lambda: Memo(store.ledger).refresh(),
        }
        for name, work in works.items():
            print(f"| {name} | {seconds(work)} |", flush=True)
        store.close()


if __name__ == "__main__":
    main()
