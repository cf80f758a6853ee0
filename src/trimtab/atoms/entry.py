"""What the ledger holds: a record with its place in the chain."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.canonical_json import canonical_json, plain
from trimtab.atoms.check import Check
from trimtab.atoms.error import UsageError

Record = Artifact | Check | Action | Closing

#: The word for each record in the ledger and in digests.
RECORD_NAMES: dict[type, str] = {Artifact: "artifact", Check: "check", Action: "action", Closing: "closing"}
RECORD_TYPES: dict[str, type] = {name: record for record, name in RECORD_NAMES.items()}
_DECODE: dict[str, Callable[[bytes], Any]] = {
    name: msgspec.json.Decoder(record).decode for name, record in RECORD_TYPES.items()
}

#: Digits of an id that a person must type at least.
SHORTEST_PREFIX = 6

#: Characters of an append's idempotency key at most.
LONGEST_KEY = 200

#: The chain's value before the first entry.
GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A record where it stands in the ledger."""

    #: 1, 2, 3 ... without gaps.
    seq: int
    record: Record
    #: Digest of the previous entry's chain value and this record's bytes.
    chain: str


def chain_value(previous: str, name: str, body: bytes) -> str:
    """The chain value of a record with this name and these bytes after an entry with the value `previous`."""
    return sha256(b"%b\n%b\n%b" % (previous.encode(), name.encode(), body)).hexdigest()


def record_bytes(record: Record) -> bytes:
    """The canonical bytes of a record, which the ledger keeps and chains.

    Reading them and writing them again changes nothing.
    """
    return canonical_json(plain(record))


def parse_record(name: str, body: bytes) -> Any:
    """Read what `record_bytes` wrote of a record with this name."""
    return _DECODE[name](body)


def digest_of_append(key: str, named: Iterable[tuple[str, bytes]]) -> str:
    """What a ledger remembers beside an idempotency key: the same records give the same digest.

    Args:
        key: The idempotency key.
        named: Name and canonical bytes of each record, in order.

    Raises:
        UsageError: The key is empty, too long, or not printable.
    """
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise UsageError(
            f"an idempotency key has 1 to {LONGEST_KEY} printable characters, unlike {key[:50]!r}"
        )
    chain = GENESIS
    for name, body in named:
        chain = chain_value(chain, name, body)
    return chain


def id_prefix(typed: str) -> str:
    """The beginning of an id as a person typed it, ready to compare.

    Raises:
        UsageError: It is too short to mean one record, or is not hexadecimal.
    """
    prefix = typed.strip().lower()
    if len(prefix) < SHORTEST_PREFIX or not set(prefix) <= set("0123456789abcdef"):
        raise UsageError(f"{typed!r} is no id: give {SHORTEST_PREFIX} or more of its hexadecimal digits")
    return prefix
