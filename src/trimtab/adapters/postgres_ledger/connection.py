"""Connections to the server, and the patience for one that is just starting again."""

import random
import re
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from trimtab.adapters.postgres_ledger.url import PostgresUrl
from trimtab.atoms.error import ConfigurationRefused, StoreError, UsageError

#: Longest wait for a server that has been there, such as one that is restarted.
MOST_SECONDS = 60.0
#: Longest wait for a server when a ledger is opened: its address may be wrong.
MOST_SECONDS_TO_OPEN = 15.0
#: Oldest major version whose behaviour is relied on.
OLDEST_SERVER = 14

#: A connection over which nothing came back for this long is given up; also where the other machine is gone.
_ALIVE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "application_name": "trimtab",
}

_SESSION = """
SELECT set_config('search_path', %s, false),
    set_config('lock_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', '60s', false),
    set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)
"""


def connect(url: PostgresUrl) -> "psycopg.Connection[Any]":
    """A connection in autocommit, durable on commit, that finds the ledger's tables by their bare names.

    Raises:
        UsageError: The URL has an option that there is not.
        psycopg.Error: None could be made.
    """
    try:
        asked = make_conninfo("", **{**_ALIVE, **url.parameters})
    except psycopg.ProgrammingError as error:
        raise UsageError(f"{url.shown}: {error}: see libpq's connection options") from error
    connection = psycopg.connect(asked, autocommit=True)
    try:
        connection.execute("SET client_encoding = 'UTF8'")
        connection.execute(_SESSION, (url.schema, f"{int(MOST_SECONDS)}s"))
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_forgetful(connection: "psycopg.Connection[Any]", shown: str) -> None:
    """Raise `ConfigurationRefused` for a server that would not keep what it acknowledged, or is too old.

    Source:
        PostgreSQL's manual, "Reliability and the Write-Ahead Log": without these a power cut can take committed
        transactions or leave torn pages.
    """
    version = connection.info.server_version
    if version < OLDEST_SERVER * 10000:
        raise ConfigurationRefused(
            f"{shown}: the server is PostgreSQL {version // 10000}; Trimtab needs {OLDEST_SERVER} or newer"
        )
    for name in ("fsync", "full_page_writes"):
        value = _setting(connection, name)
        if value != "on":
            raise ConfigurationRefused(
                f"{shown}: the server runs with {name} = {value}, so a power cut can take what was acknowledged: "
                f"set {name} = on in postgresql.conf and reload it"
            )
    encoding = _setting(connection, "server_encoding")
    if encoding != "UTF8":
        raise ConfigurationRefused(
            f"{shown}: the database's encoding is {encoding}: make one with `createdb --encoding=UTF8 "
            "--template=template0`"
        )


def _setting(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    return str(row[0]) if row else ""


class Patience:
    """Tries again, with growing uneven pauses, until a time is over by the monotonic clock."""

    def __init__(self, shown: str, most_seconds: float = MOST_SECONDS) -> None:
        """Start counting with the first failure."""
        self._shown = shown
        self._most_seconds = most_seconds
        self._deadline: float | None = None
        self._pauses = _pauses()

    def wait(self, error: psycopg.Error, besides: str = "") -> None:
        """Pause before the next try.

        Args:
            error: Why the last one failed.
            besides: A clause for the message, on what is unknown.

        Raises:
            StoreError: The time is over.
        """
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._most_seconds
        if now >= self._deadline:
            text = re.sub(r"\s+", " ", str(error)).strip()
            raise StoreError(
                f"{self._shown} has not answered for {self._most_seconds:.0f} s ({text}){besides}: "
                "start the server, or check the address"
            ) from error
        time.sleep(min(next(self._pauses), max(self._deadline - now, 0.0)))


def _pauses() -> Iterator[float]:
    longest = 0.05
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(longest * 1.6, 1.0)
