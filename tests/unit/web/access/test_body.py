"""A file's body, piece by piece: how slowly it may come."""

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from starlette.types import Message

from trimtab.web.access import body
from trimtab.web.access.body import Body
from trimtab.web.route import Refused


def received(pieces: Iterator[bytes], pause_s: float, consumer_s: float = 0.0) -> int:
    """How many bytes came, each piece after a pause; the last one is empty."""

    async def receive() -> Message:
        await asyncio.sleep(pause_s)
        piece = next(pieces, b"")
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def read() -> int:
        size = 0
        async for chunk in Body({b"transfer-encoding": b"chunked"}, receive, 1_000_000).stream():
            size += len(chunk)
            await asyncio.sleep(consumer_s)
        return size

    return asyncio.run(read())


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(body, "LEAST_BYTES", 300)


def test_a_client_that_stops_sending_is_not_awaited() -> None:
    with pytest.raises(Refused) as refused:
        received(repeat(b"a" * 1000), 1.0)
    assert refused.value.status == 408


def test_a_client_that_all_but_stops_is_not_awaited_either() -> None:
    """Not at its first bytes, and not after a quick beginning."""
    for beginning in ([], [b"a" * 10_000]):
        with pytest.raises(Refused) as refused:
            received(chain(beginning, repeat(b"a")), 0.02)
        assert refused.value.status == 408


def test_a_slow_client_that_goes_on_is_read_to_its_end() -> None:
    assert received(chain([b"a" * 100] * 20), 0.04) == 2000


def test_it_is_not_the_clients_fault_where_the_disk_is_slow() -> None:
    assert received(chain([b"a"] * 10), 0.001, consumer_s=0.1) == 10
