"""The token ring: what was given is known, and what was revoked lets nobody in within a second."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from trimtab.assembly.token import create_token, revoke_token
from trimtab.assembly.token_ring import TokenRing
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import StoreError
from trimtab.atoms.token import TokenState
from trimtab.engine.store import Store
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.memory_store import memory_store

ANN = Actor(by="person:ann")


def given(store: Store, name: str) -> str:
    return create_token(store, name, ["viewer"], project="p", expires_in=timedelta(hours=1), by=ANN)[0]


def within_a_second(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.01)
    return holds()


def state(ring: TokenRing, secret: str) -> TokenState | None:
    found = ring.find(secret)
    return None if found is None else found.state


def test_a_ring_follows_the_ledger() -> None:
    clock = ManualClock()
    store = memory_store(clock)
    first = given(store, "first")
    with TokenRing(store) as ring:
        asyncio.run(ring.wait())
        assert ring.ready
        assert state(ring, first) is TokenState.LIVING
        assert ring.find("tt_viewer_other_000000") is None
        second = given(store, "second")
        assert within_a_second(lambda: state(ring, second) is TokenState.LIVING)
        revoke_token(store, "first", project="p", by=ANN)
        assert within_a_second(lambda: state(ring, first) is TokenState.REVOKED)
        clock.advance(3600)
        assert within_a_second(lambda: state(ring, second) is TokenState.EXPIRED)


class Away:
    """A ledger that cannot be read while `away` holds."""

    def __init__(self, ledger: object, says: Exception) -> None:
        self._ledger, self._says, self.away = ledger, says, False

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise self._says
        return getattr(self._ledger, name)


@pytest.mark.parametrize(
    "says",
    [StoreError("the database is away"), RuntimeError("a defect of a driver"), KeyError("content")],
    ids=["told", "defect", "lost"],
)
def test_while_the_store_is_away_what_was_known_holds_but_for_expiry(says: Exception) -> None:
    clock = ManualClock()
    store = memory_store(clock)
    secret = given(store, "first")
    ledger = Away(store.ledger, says)
    held = Store(
        ledger=ledger,  # type: ignore[arg-type]
        blobs=store.blobs,
        streams=store.streams,
        online=store.online,
        clock=clock,
        holder=store.holder,
    )
    with TokenRing(held) as ring:
        asyncio.run(ring.wait())
        ledger.away = True
        time.sleep(0.6)
        assert state(ring, secret) is TokenState.LIVING
        clock.advance(3600)
        assert within_a_second(lambda: state(ring, secret) is TokenState.EXPIRED)
        later = given(store, "later")
        assert ring.find(later) is None
        ledger.away = False
        assert within_a_second(lambda: state(ring, later) is TokenState.LIVING)
