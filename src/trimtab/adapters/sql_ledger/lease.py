"""Leases in the ledger's tables: who may act, with a token that only rises."""

from trimtab.adapters.sql_ledger.table import Tables, WritingTables
from trimtab.atoms.error import LeaseLost
from trimtab.ports.ledger import Lease

_TAKE = """
INSERT INTO lease (name, token, holder, until) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET token = excluded.token, holder = excluded.holder, until = excluded.until
"""


def take(tables: WritingTables, name: str, holder: str, seconds: float) -> Lease | None:
    """Take or renew a lease inside a transaction; None while another holder has it.

    A holder known to be dead has it no longer, whatever its time; one that comes back late keeps its token
    where nobody took the lease meanwhile.
    """
    now = tables.now()
    held = tables.execute("SELECT token, holder, until FROM lease WHERE name = ?", (name,)).fetchone()
    if held is not None:
        token, owner, until = held
        if owner == holder:
            tables.execute("UPDATE lease SET until = ? WHERE name = ?", (now + seconds, name))
            return Lease(name=name, token=token)
        if until > now and not tables.is_dead(owner):
            return None
    tables.execute("UPDATE meta SET value = value + 1 WHERE name = 'last_token'")
    (token,) = tables.execute("SELECT value FROM meta WHERE name = 'last_token'").fetchone()
    tables.execute(_TAKE, (name, token, holder, now + seconds))
    return Lease(name=name, token=token)


def give(tables: Tables, lease: Lease) -> None:
    """Free a lease, where it is still this one's."""
    tables.execute("DELETE FROM lease WHERE name = ? AND token = ?", (lease.name, lease.token))


def hold(tables: Tables, lease: Lease) -> None:
    """Raise `LeaseLost` unless this lease is the one that is held."""
    found = tables.execute("SELECT token FROM lease WHERE name = ?", (lease.name,)).fetchone()
    if found is None or found[0] != lease.token:
        raise LeaseLost(
            f"lease {lease.name!r} was handed back or taken over by another process: stop acting on it"
        )
