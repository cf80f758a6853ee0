"""Where the reading commands get their accounts from: a store on this machine, or a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from trimtab.views.memory import Memory

Account = dict[str, Any]


class Accounts(Protocol):
    """What a command may ask; wherever an answer comes from, it is the same account."""

    def status(self) -> Account:
        """Where everything stands."""
        ...

    def models(self) -> Account:
        """Every version of every model, and `stored`: those that clients registered."""
        ...

    def lineage(self, name: str) -> Account:
        """All that the record called `name` came of and led to; UsageError where it means nothing, or several."""
        ...


class StoredAccounts:
    """Accounts of a store that is open here."""

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory

    def status(self) -> Account:
        """See the protocol."""
        from trimtab.views.account import status_account

        return status_account(self._memory)

    def models(self) -> Account:
        """See the protocol."""
        from trimtab.assembly.model_account import every_model_account, registered_in

        return every_model_account(self._memory, registered_in(self._memory.store))

    def lineage(self, name: str) -> Account:
        """See the protocol."""
        from trimtab.views.account import lineage_account

        return lineage_account(self._memory, name)


@contextmanager
def stored_accounts(project: Path | None, store: str | None, *, lineage: bool = False) -> Iterator[Accounts]:
    """The accounts of the store that the options name.

    Args:
        lineage: Whether lineage will be asked for: it is then read together with the rest.
    """
    from trimtab.assembly.project import open_project
    from trimtab.views.memory import Memory

    held = open_project(project, store, declarations=False).open_store(create=False)
    try:
        memory = Memory(held, lineage=lineage)
        memory.refresh()
        yield StoredAccounts(memory)
    finally:
        held.close()


@contextmanager
def served_accounts(server: str) -> Iterator[Accounts]:
    """The accounts of a server; TRIMTAB_TOKEN holds the token for it."""
    from trimtab.adapters.control_client import TOKEN, ControlClient

    with ControlClient(server, os.environ.get(TOKEN)) as client:
        yield client.views
