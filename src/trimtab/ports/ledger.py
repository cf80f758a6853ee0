"""The memory of what exists, what was judged and what was decided."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from trimtab.atoms.entry import Entry, Record


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to act, for a while. A later holder has a higher token, which fences out the earlier one."""

    name: str
    token: int


class Ledger(Protocol):
    """Contract:

    - `append` is atomic and durable: when it returns, all records are there, also after a power cut; when it raises or
      the process dies, none is. Records get consecutive numbers in the order given.
    - The records are chained: `Entry.chain` is `chain_value(previous, name, canonical bytes)`.
    - An artifact or a Check whose id is already there is passed over (it is the same thing), an Action or a Closing
      that is already there raises `LawBroken`.
    - The laws are held at the door, `LawBroken` names the record: an Artifact's and a Check's id is the digest of
      what it says; a Check's subjects and evidence exist (earlier or in the same append); an Action's `because` are
      Checks that exist, its `took` artifacts and its `parent` an Action that exist, before it; an Action by anyone
      but a `person:` has a `because` or a `parent`; an Artifact comes in one append with a Closing that made it;
      what a Closing made or judged exists; an Action closes once, and its Closing comes after it.
    - With a `key`, the append happens once: the same key again writes nothing and gives the number that it gave the
      first time, whoever asks and however often; `UsageError` where the records are other ones.
    - With a `lease`, nothing is written once it was handed back or a later token of that name has been given:
      `LeaseLost`. Late alone is not lost: until another takes it, the holder may write and renew.
    - Any number of threads and processes may read and append at once; nobody sees half of an append, and nobody sees
      an error because another was writing.
    """

    def append(self, records: Sequence[Record], *, lease: Lease | None = None, key: str | None = None) -> int:
        """Write records; returns the number of the last entry of the ledger."""
        ...

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """Entries with a number above `after`, in order."""
        ...

    def head(self) -> tuple[int, str]:
        """Number and chain value of the last entry; (0, GENESIS) for an empty ledger. Cheap: may be polled."""
        ...

    def find(self, record_id: str) -> Record | None:
        """The Artifact, Check or Action with this id (never a Closing)."""
        ...

    def starting_with(self, prefix: str, limit: int = 10) -> list[Record]:
        """Artifacts, Checks and Actions whose id starts with `prefix` (6 digits or more), for people who type ids."""
        ...

    def take_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        """Take or renew the lease called `name`; None while another holder has it.

        A holder that asks again before the time is over keeps its token; a new holder gets a higher one.
        """
        ...

    def give_lease(self, lease: Lease) -> None:
        """Hand the lease back early; one that was lost meanwhile is no error."""
        ...

    def close(self) -> None:
        """Release what is held; appends that were acknowledged stay."""
        ...
