"""Memory: the views follow the ledger, and how they were fed leaves no trace."""

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from trimtab.engine.store import Store
from trimtab.testing.example_year import MODEL, SOURCE
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.account import (
    models_account,
    runs_account,
    status_account,
)
from trimtab.views.memory import Memory


def everything(memory: Memory) -> Any:
    """All that the views say, as one JSON value."""
    windows = memory.windows.of(MODEL)
    links = memory.links
    first = memory.spans.snapshots(SOURCE)[0] if memory.spans.sources() else ""
    return msgspec.to_builtins(
        [
            status_account(memory),
            models_account(memory),
            runs_account(memory),
            memory.timeline.recent(10_000),
            list(memory.timeline.before(checks=False)),
            windows,
            [list(window.checks) for window in windows],
            memory.quality.loss(MODEL),
            memory.quality.bias(MODEL),
            memory.retrains.all(),
            memory.spans.state(SOURCE),
            links.graph(first, upward=False),
            memory.head,
        ]
    )


@pytest.mark.parametrize("seed", range(5))
def test_fed_in_any_portions_the_fold_is_the_same(year_store: Store, seed: int) -> None:
    chance = random.Random(seed)
    entries = list(year_store.ledger.entries())
    part, whole = memory_store(), Memory(year_store)
    whole.refresh()
    portioned = Memory(with_blobs_of(year_store, part), lineage=seed % 2 == 0)
    place = 0
    while place < len(entries):
        size = chance.choice([1, 1, 2, 3, 50])
        ready = append_whole(part, entries, place, size)
        place = ready
        portioned.refresh()
        if chance.random() < 0.2:
            _ = portioned.links
    assert everything(portioned) == everything(whole)


def with_blobs_of(origin: Store, part: Store) -> Store:
    """`part` with the blobs of `origin`."""
    for blob in origin.blobs.stored():
        part.blobs.put(origin.blobs.get(blob.key))
    return part


def append_whole(store: Store, entries: list[Any], place: int, size: int) -> int:
    """Append `size` entries and on to the next Closing, as the laws ask; returns the place reached."""
    end = place + size
    while end < len(entries) and type(entries[end - 1].record).__name__ in ("Artifact", "Check"):
        end += 1
    end = min(end, len(entries))
    store.ledger.append([entry.record for entry in entries[place:end]])
    return end


def test_refresh_says_whether_there_was_something(year_store: Store) -> None:
    memory = Memory(year_store)
    assert memory.head[0] == 0
    assert memory.refresh() is True
    assert memory.refresh() is False
    assert memory.head == year_store.ledger.head()


def test_an_empty_ledger_has_empty_views() -> None:
    memory = Memory(memory_store())
    assert memory.refresh() is False
    assert memory.releases.plan("nobody") is None
    assert memory.releases.versions("nobody") == []
    assert memory.spans.state("nowhere") == {}
    assert memory.windows.of("nobody") == []
    assert memory.timeline.recent(5) == []
    assert memory.retrains.open("nobody") is None
    assert status_account(memory)["models"] == {}


def test_what_is_written_later_is_seen_after_the_next_refresh() -> None:
    store = memory_store()
    memory = Memory(store)
    teller = Storyteller(store, datetime(2024, 1, 1, tzinfo=UTC))
    teller.tell("trigger", "hold", "model")
    assert memory.timeline.recent(5) == []
    assert memory.refresh() is True
    assert [event.kind for event in memory.timeline.recent(5)] == ["hold"]
