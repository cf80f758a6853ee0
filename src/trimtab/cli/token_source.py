"""Where `trimtab token` gives tokens: in a store on this machine, or at a server."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from trimtab.engine.store import Store

Account = dict[str, Any]


class TokenPlace(Protocol):
    """Gives and revokes; an account is what `trimtab.assembly.token.token_account` says."""

    def create(self, name: str, roles: Sequence[str], *, expires_in: timedelta | None) -> tuple[str, Account]:
        """Give a token; returns it, and its account."""
        ...

    def all(self) -> list[Account]:
        """Every token that was ever given, oldest first."""
        ...

    def revoke(self, name: str) -> Account:
        """Let a token's holder in no more."""
        ...


class StoredTokens:
    """Tokens of a project whose store is open here."""

    def __init__(self, store: "Store", project: str) -> None:
        self._store, self._project = store, project

    def create(self, name: str, roles: Sequence[str], *, expires_in: timedelta | None) -> tuple[str, Account]:
        """See the protocol."""
        from trimtab.assembly.session import person
        from trimtab.assembly.token import create_token, token_account
        from trimtab.atoms.actor import Actor

        secret, made = create_token(
            self._store, name, roles, project=self._project, expires_in=expires_in, by=Actor(by=person())
        )
        return secret, token_account(made, self._store.now())

    def all(self) -> list[Account]:
        """See the protocol."""
        from trimtab.assembly.token import all_tokens, token_account

        now = self._store.now()
        return [token_account(each, now) for each in all_tokens(self._store, project=self._project)]

    def revoke(self, name: str) -> Account:
        """See the protocol."""
        from trimtab.assembly.session import person
        from trimtab.assembly.token import revoke_token, token_account
        from trimtab.atoms.actor import Actor

        gone = revoke_token(self._store, name, project=self._project, by=Actor(by=person()))
        return token_account(gone, self._store.now())


@contextmanager
def token_place(project: Path | None, store: str | None, server: str | None) -> Iterator[TokenPlace]:
    """The server where one is named, with TRIMTAB_TOKEN for it; else the project's store."""
    if server is not None:
        from trimtab.adapters.control_client import TOKEN, ControlClient

        with ControlClient(server, os.environ.get(TOKEN)) as client:
            yield client.tokens
        return
    from trimtab.assembly.project import open_project

    chosen = open_project(project, store, declarations=False)
    held = chosen.open_store()
    try:
        yield StoredTokens(held, chosen.name)
    finally:
        held.close()
