"""What is written in one turn leaves together, in order, and before the connection closes."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from trimtab.web.joined_write import LARGE_BYTES, JoinedTransport


class Wire:
    """A transport that notes what the system is asked to write."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, chunk: bytes) -> None:
        assert not self.closed
        self.written.append(chunk)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def written(acts: Callable[[JoinedTransport], None]) -> Wire:
    """The wire after one turn in which `acts` wrote."""
    wire = Wire()

    async def turn() -> None:
        joined = JoinedTransport(cast(asyncio.Transport, wire), asyncio.get_running_loop())
        acts(joined)
        await asyncio.sleep(0)
        assert joined.is_closing() == wire.closed

    asyncio.run(turn())
    return wire


def test_head_and_body_are_one_write() -> None:
    def answer(joined: JoinedTransport) -> None:
        joined.write(b"head ")
        joined.write(b"body")

    assert written(answer).written == [b"head body"]


def test_what_was_written_before_closing_arrives() -> None:
    def last_answer(joined: JoinedTransport) -> None:
        joined.write(b"bye")
        joined.close()

    wire = written(last_answer)
    assert wire.written == [b"bye"]
    assert wire.closed


@pytest.mark.parametrize("size", [1, LARGE_BYTES, 3 * LARGE_BYTES])
def test_order_holds_at_any_size(size: int) -> None:
    def stream(joined: JoinedTransport) -> None:
        for letter in (b"a", b"b", b"c"):
            joined.write(letter * size)

    assert b"".join(written(stream).written) == b"a" * size + b"b" * size + b"c" * size


def test_a_large_write_waits_for_nothing() -> None:
    seen: list[int] = []

    def stream(joined: JoinedTransport) -> None:
        joined.write(b"x" * LARGE_BYTES)
        seen.append(len(cast(Wire, joined._transport).written))

    written(stream)
    assert seen == [1]
