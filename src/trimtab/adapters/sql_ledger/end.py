"""Where the ledger ends: the newest row held against the head that was recorded with it.

A chain shows what was changed or taken out of its middle, not that its last links are gone. So each append records
its last number and chain value in the same transaction, and who reads to the end or writes on compares.
"""

from trimtab.adapters.sql_ledger.table import ENDS, Tables
from trimtab.atoms.entry import GENESIS
from trimtab.atoms.error import Damaged

#: Newest row (number, chain value), then recorded head (number, chain value); None for a head that is gone.
Ends = tuple[int | None, str | None, int, str] | None


def read_ends(tables: Tables) -> Ends:
    """Both ends, seen at one moment."""
    row = tables.execute(ENDS).fetchone()
    return tuple(row) if row else None


def last_of(ends: Ends, shown: str) -> tuple[int, str]:
    """Number and chain value of the last entry that was acknowledged, whether or not its row is still there.

    A program from before version 2 that was open during the migration writes rows and records no head, so the
    newest row may lie beyond it.

    Raises:
        Damaged: No head is recorded any more.
    """
    if ends is None:
        raise _no_head(shown)
    newest_seq, newest_chain, seq, chain = ends
    if newest_seq is not None and newest_chain is not None and newest_seq > seq:
        return newest_seq, newest_chain
    return seq, chain


def whole_end(ends: Ends, shown: str) -> tuple[int, str]:
    """Number and chain value of the newest row.

    Args:
        ends: What `read_ends` saw.
        shown: How a message names the ledger.

    Raises:
        Damaged: The row that was written last is gone or another one.
    """
    if ends is None:
        raise _no_head(shown)
    newest_seq, newest_chain, seq, chain = ends
    if (newest_seq or 0) < seq:
        raise Damaged(
            f"{shown}: entry {(newest_seq or 0) + 1} is missing, and all after it up to {seq}: "
            "restore the ledger from a backup"
        )
    if newest_seq == seq and newest_chain != chain:
        raise Damaged(
            f"{shown}: entry {seq} is not the one that was written last: restore the ledger from a backup"
        )
    return newest_seq or 0, newest_chain or GENESIS


def _no_head(shown: str) -> Damaged:
    return Damaged(f"{shown} does not say any more where it ends: restore the ledger from a backup")
