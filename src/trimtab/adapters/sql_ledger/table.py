"""What the ledger asks of a database: its tables inside a transaction, one writer, any number of readers."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol, TypeVar

Answer = TypeVar("Answer")

#: A new row of `entry`: number, name of the record, id (a Closing's: its action), bytes, chain value.
Row = tuple[int, str, str, bytes, str]


class Tables(Protocol):
    """The ledger's tables; a placeholder is `?` in either database."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        """Run one statement; the cursor that comes back has `fetchone` and `fetchall`."""
        ...


class WritingTables(Tables, Protocol):
    """The tables inside a transaction that no other writer of the ledger shares."""

    def ends(self) -> tuple[int, str, int, str] | None:
        """Number and chain value of the newest row, then of the recorded head; None where no head is recorded."""
        ...

    def known(self, ids: Collection[str]) -> Iterable[tuple[str, str]]:
        """Id and name of each record that has one of these ids; a Closing is found by its action."""
        ...

    def add(self, rows: Sequence[Row]) -> None:
        """Write entries (one or more) and record the last one as the head."""
        ...

    def now(self) -> float:
        """Seconds since 1970 by which leases end."""
        ...

    def is_dead(self, holder: str) -> bool:
        """Whether the holder of a lease is certainly a process that has ended."""
        ...


class Database(Protocol):
    """One database that holds a ledger.

    A function that is handed over may be run again where its transaction left nothing behind, as after a lost
    connection: it has no effect but what it writes.
    """

    @property
    def shown(self) -> str:
        """How messages name it: a path, or a URL without its password."""
        ...

    def write(self, job: Callable[[WritingTables], Answer], *, durable: bool = True) -> Answer:
        """Run `job` in a writing transaction that it may share with others; returns once that is committed.

        Args:
            job: A TrimtabError that it raises before its first write refuses it alone.
            durable: False where what it writes means nothing once every process is gone, as in a power cut.
        """
        ...

    def read(self, query: Callable[[Tables], Answer]) -> Answer:
        """Run `query` on a connection that is this thread's meanwhile; each statement sees what is committed."""
        ...

    def close(self) -> None:
        """Finish what waits and release what is held; a second call does nothing."""
        ...


#: Both ends of the ledger in one look.
ENDS = """
SELECT newest.seq, newest.chain, head.seq, head.chain FROM head
LEFT JOIN (SELECT seq, chain FROM entry ORDER BY seq DESC LIMIT 1) newest ON true
"""
