"""The ledger port in memory."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from trimtab.atoms.action import Closing
from trimtab.atoms.entry import (
    GENESIS,
    RECORD_NAMES,
    Entry,
    Record,
    chain_value,
    digest_of_append,
    id_prefix,
    parse_record,
    record_bytes,
)
from trimtab.atoms.error import LeaseLost, StoreError, UsageError
from trimtab.atoms.law import admit
from trimtab.ports.ledger import Lease


class MemoryLedger:
    """Keeps what a file would keep: records go through their bytes on the way in."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        """Start empty; `wall` is the seconds since 1970 by which leases end."""
        self._wall = wall
        self._lock = threading.RLock()
        self._entries: list[Entry] = []
        self._by_id: dict[str, Record] = {}
        self._closed_actions: set[str] = set()
        #: Digest of the records and the number given, by idempotency key.
        self._keys: dict[str, tuple[str, int]] = {}
        self._leases: dict[str, tuple[int, str, float]] = {}
        self._tokens = 0
        self._closed = False

    def append(self, records: Sequence[Record], *, lease: Lease | None = None, key: str | None = None) -> int:
        """See the port."""
        named = [(RECORD_NAMES[type(record)], record_bytes(record)) for record in records]
        digest = "" if key is None else digest_of_append(key, named)
        with self._lock:
            if self._closed:
                raise StoreError("the ledger has been closed")
            if key in self._keys:
                return self._given_before(key, digest)
            if lease is not None and self._leases.get(lease.name, (0, "", 0.0))[0] != lease.token:
                raise LeaseLost(f"lease {lease.name!r} was handed back or taken over: stop acting on it")
            for record in admit(
                [parse_record(*each) for each in named], _Known(self._by_id, self._closed_actions)
            ):
                self._add(record)
            if key is not None:
                self._keys[key] = (digest, len(self._entries))
            return len(self._entries)

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """See the port."""
        with self._lock:
            found = self._entries[after : None if limit is None else after + limit]
        yield from found

    def head(self) -> tuple[int, str]:
        """See the port."""
        with self._lock:
            return (self._entries[-1].seq, self._entries[-1].chain) if self._entries else (0, GENESIS)

    def find(self, record_id: str) -> Record | None:
        """See the port."""
        with self._lock:
            return self._by_id.get(record_id)

    def starting_with(self, prefix: str, limit: int = 10) -> list[Record]:
        """See the port; ordered by id."""
        low = id_prefix(prefix)
        with self._lock:
            return [self._by_id[item] for item in sorted(self._by_id) if item.startswith(low)][:limit]

    def take_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        """See the port."""
        with self._lock:
            token, owner, until = self._leases.get(name, (0, "", 0.0))
            if token and owner != holder and until > self._wall():
                return None
            if owner != holder:
                self._tokens += 1
                token = self._tokens
            self._leases[name] = (token, holder, self._wall() + seconds)
            return Lease(name=name, token=token)

    def give_lease(self, lease: Lease) -> None:
        """See the port."""
        with self._lock:
            if self._leases.get(lease.name, (0, "", 0.0))[0] == lease.token:
                del self._leases[lease.name]

    def close(self) -> None:
        """See the port."""
        self._closed = True

    def _given_before(self, key: str, digest: str) -> int:
        first, seq = self._keys[key]
        if first != digest:
            raise UsageError(f"idempotency key {key!r} was used for other records: give each append its own")
        return seq

    def _add(self, record: Record) -> None:
        seq, chain = self.head()
        name = RECORD_NAMES[type(record)]
        self._entries.append(
            Entry(seq=seq + 1, record=record, chain=chain_value(chain, name, record_bytes(record)))
        )
        if isinstance(record, Closing):
            self._closed_actions.add(record.action)
        else:
            self._by_id[record.id] = record


class _Known:
    """What the laws ask."""

    def __init__(self, by_id: dict[str, Record], closed: set[str]) -> None:
        self._by_id = by_id
        self._closed = closed

    def name_of(self, record_id: str) -> str | None:
        record = self._by_id.get(record_id)
        return RECORD_NAMES[type(record)] if record is not None else None

    def is_closed(self, action: str) -> bool:
        return action in self._closed
