"""What the ledger holds: a record with its place in the chain."""

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.digest import digest_bytes

Record = Artifact | Check | Action | Closing

#: The word for each record in the ledger and in digests.
RECORD_NAMES: dict[type, str] = {Artifact: "artifact", Check: "check", Action: "action", Closing: "closing"}
RECORD_TYPES: dict[str, type] = {name: record for record, name in RECORD_NAMES.items()}

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
    return digest_bytes(f"{previous}\n{name}\n".encode() + body)
