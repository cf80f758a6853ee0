"""`trimtab.sync()`: bring to a server what waits for it on this machine."""

import os
from contextlib import closing
from pathlib import Path

from trimtab.adapters.spool import Drained, Spool
from trimtab.assembly.recording.courier import COURIERS
from trimtab.assembly.recording.spool_place import server_address, spool_folder, spooled_servers
from trimtab.atoms.error import UsageError


def sync(server: str | None = None, *, patience_s: float = 60.0) -> Drained:
    """Send what runs have left in the spool while their server was away.

    Args:
        server: Its address; None: `TRIMTAB_SERVER`, else the only one that this machine has kept anything for. The
            token is read from `TRIMTAB_TOKEN`.
        patience_s: How long to try where the server is away or busy.

    Returns:
        How many calls were taken and refused for good, and why others wait still; empty where nothing waits.

    Raises:
        UsageError: Several servers could be meant.
    """
    address = chosen_server(server)
    if address is None:
        return Drained()
    token = os.environ.get("TRIMTAB_TOKEN") or None
    courier = COURIERS.lend(address, token)
    try:
        return courier.settle(patience_s, still_s=None)
    finally:
        COURIERS.give_back(address, token)


def chosen_server(server: str | None = None) -> str | None:
    """The address of the server that is meant, as `sync` says; None: nothing was kept for any."""
    address = server or os.environ.get("TRIMTAB_SERVER")
    if not address:
        known = spooled_servers()
        if not known:
            return None
        if len(known) > 1:
            raise UsageError(
                f"which server? trimtab.sync(server=...) and `trimtab sync --server` take one of {', '.join(known)}"
            )
        address = known[0]
    return server_address(address)


def calls_waiting(address: str) -> int:
    """How many calls to a server wait on this machine."""
    with closing(Spool(spool_folder(address))) as spool:
        return spool.waiting()


def refused_calls(address: str) -> Path:
    """The file of the calls that a server refused for good, each with its reason."""
    return spool_folder(address) / "dead-letters.jsonl"
