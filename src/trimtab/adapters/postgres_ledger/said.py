"""Errors of PostgreSQL in words that say what to do, and which of them pass by themselves."""

import psycopg

from trimtab.atoms.error import ConfigurationRefused, StoreError

#: How a server says that it is just starting, stopping or full: it will be there again.
_PASSES = (
    "starting up",
    "shutting down",
    "recovery",
    "not yet accepting",
    "terminating connection",  # stopped, or a process of it died, while this connection was being made
    "canceling authentication due to timeout",
    "too many",
    "remaining connection",
)

#: Classes of SQLSTATE: connection, operator's intervention (restart), too many connections.
_LOST = ("08", "57P", "53300")


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection broke or could not be made, in a way that another try may mend."""
    state = error.sqlstate or ""
    if state:
        return state.startswith(_LOST)
    if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return False
    text = str(error)
    # Refused for good (password, database, role): libpq gives no SQLSTATE for it, only the server's FATAL.
    return "FATAL:" not in text or any(words in text for words in _PASSES)


def is_nowhere(error: psycopg.Error) -> bool:
    """Whether no machine has the host's name: at the first try that is a slip, later it may pass."""
    return any(words in str(error) for words in ("failed to resolve host", "could not translate host name"))


def said(shown: str, error: psycopg.Error) -> StoreError | ConfigurationRefused:
    """An error that stays, in words that say what to do."""
    state = error.sqlstate or ""
    text = " ".join(str(error).split())
    if state == "55P03":
        return StoreError(
            f"{shown}: another process has held the ledger for a minute: find it in pg_stat_activity and end it"
        )
    if state == "25006":
        return StoreError(f"{shown} is a standby that takes no writes: name the primary server")
    if state.startswith("53"):
        return StoreError(
            f"{shown}: the server has no room ({text}); nothing was written; make room and it goes on"
        )
    if state == "42501":
        return StoreError(f"{shown}: the user may not do this ({text}): grant it, or name another user")
    if not state and isinstance(error, psycopg.OperationalError):
        return StoreError(
            f"{shown} cannot be reached ({text}): check the server, user, password and database"
        )
    return StoreError(f"{shown}: {text} ({state or type(error).__name__})")
