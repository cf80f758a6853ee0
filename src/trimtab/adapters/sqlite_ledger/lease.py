"""Leases in the ledger's file: who may act, with a token that only rises."""

import sqlite3

from trimtab.adapters.process_holder import is_dead
from trimtab.atoms.error import LeaseLost
from trimtab.ports.ledger import Lease


def take(connection: sqlite3.Connection, name: str, holder: str, now: float, seconds: float) -> Lease | None:
    """Take or renew a lease inside a transaction; None while another holder has it.

    A holder known to be dead has it no longer, whatever its time; one that comes back late keeps its token
    where nobody took the lease meanwhile.
    """
    held = connection.execute("SELECT token, holder, until FROM lease WHERE name = ?", (name,)).fetchone()
    if held is not None:
        token, owner, until = held
        if owner == holder:
            connection.execute("UPDATE lease SET until = ? WHERE name = ?", (now + seconds, name))
            return Lease(name=name, token=token)
        if until > now and not is_dead(owner):
            return None
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'last_token'")
    (token,) = connection.execute("SELECT value FROM meta WHERE name = 'last_token'").fetchone()
    connection.execute(
        "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)", (name, token, holder, now + seconds)
    )
    return Lease(name=name, token=token)


def give(connection: sqlite3.Connection, lease: Lease) -> None:
    """Free a lease, where it is still this one's."""
    connection.execute("DELETE FROM lease WHERE name = ? AND token = ?", (lease.name, lease.token))


def hold(connection: sqlite3.Connection, lease: Lease) -> None:
    """Raise `LeaseLost` unless this lease is the one that is held."""
    found = connection.execute("SELECT token FROM lease WHERE name = ?", (lease.name,)).fetchone()
    if found is None or found[0] != lease.token:
        raise LeaseLost(
            f"lease {lease.name!r} was handed back or taken over by another process: stop acting on it"
        )
