"""Tokens of a server."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from trimtab.adapters.control_client.connection import Connection, place

Account = dict[str, Any]


class RemoteTokens:
    """Tokens of the server's project as JSON values; errors are those of `Connection.ask`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, name: str, roles: Sequence[str], *, expires_in: timedelta | None) -> tuple[str, Account]:
        """Give a token; returns it, which is shown this once, and what is known of it from now on.

        Args:
            expires_in: From now; None: it does not expire.

        Raises:
            Conflict: A living token has this name; or the answer was lost on its way: revoke the token then.
        """
        seconds = None if expires_in is None else int(expires_in.total_seconds())
        body = {"name": name, "roles": list(roles), "expires_in_s": seconds}
        made = self._connection.account(place("tokens"), "token", method="POST", body=body)
        return made.pop("token"), made

    def all(self) -> list[Account]:
        """Every token that was ever given for the server's project, oldest first."""
        tokens: list[Account] = self._connection.account(place("tokens"), "tokens")["tokens"]
        return tokens

    def revoke(self, name: str) -> Account:
        """Let a token's holder in no more; NotThere."""
        return self._connection.account(place("tokens", name), "name", method="DELETE")
