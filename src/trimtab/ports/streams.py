"""What comes in at request rate: the prediction log, outcomes, metric points."""

from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from typing import Protocol

import msgspec


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reader has read: bytes taken of each segment."""

    segments: dict[str, int] = {}


class Streams(Protocol):
    """Contract:

    - `append` returns when the records are durable; many threads appending at once share one flush (group commit).
    - Records of one append stay together and in order; appends of several processes come in some order.
    - A torn tail after a crash is passed over by readers; every acknowledged record is read, exactly as written.
    - `read` gives the records after a cursor and the cursor to go on from; reading takes nothing away.
    - `forget` takes away what its caller has kept elsewhere: of what was not read, nothing is ever lost.
    """

    def append(self, stream: str, records: Sequence[bytes]) -> None:
        """Add records to a stream; the stream is made when it is first written."""
        ...

    def append_nowait(self, stream: str, records: Sequence[bytes]) -> Future[None]:
        """As `append` without waiting: the future is done when the records are durable, or carries the error."""
        ...

    def read(
        self,
        stream: str,
        after: Cursor | None = None,
        limit: int | None = None,
        *,
        until: Cursor | None = None,
        rest: bool = False,
    ) -> tuple[list[bytes], Cursor]:
        """Records after `after` (all, when None).

        Args:
            until: A cursor that an earlier call gave: between the two it reads the same records again, and no others.
            rest: What is damaged is passed over, and everything else is read.

        Raises:
            Damaged: Records that were acknowledged cannot be read any more; the message names where they lie.
        """
        ...

    def pulse(self, stream: str) -> Hashable:
        """Another value than before once records were added to the stream, by whomever. Cheap: may be polled."""
        ...

    def faults(self, stream: str) -> list[str]:
        """Reads the whole stream: a sentence for each place where acknowledged records cannot be read any more."""
        ...

    def forget(self, stream: str, upto: Cursor) -> None:
        """Records up to the cursor may go: some or all of them are not read any more.

        Records that came after it stay, also those that come meanwhile. Forgetting again is no error.
        """
        ...

    def names(self) -> list[str]:
        """The streams that exist, sorted."""
        ...

    def close(self) -> None:
        """Flush and release what is held."""
        ...
