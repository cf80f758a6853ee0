"""Which hosts and origins are this server itself, against DNS rebinding and foreign pages; both planes ask it."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

#: Names of this machine's own loopback, as its users write them.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_MOST_REMEMBERED = 256
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]{0,5})?")


class OwnHosts:
    """The names by which a server may be called; loopback's are always among them."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        """
        Args:
            hosts: Names and addresses without a port; IPv6 addresses in brackets.
        """
        self._hosts = {host.lower() for host in (*LOOPBACK, *hosts) if host}
        #: `Host` headers that were known before, as they came.
        self._known: set[bytes] = set()

    def knows(self, host: bytes) -> bool:
        """Whether a `Host` header names this server."""
        if host in self._known:
            return True
        if _without_port(host.decode("latin-1").lower()) not in self._hosts:
            return False
        if len(self._known) < _MOST_REMEMBERED:
            self._known.add(host)
        return True


def is_own(origin: bytes, host: bytes) -> bool:
    """Whether an `Origin` header names the server that `Host` names."""
    try:
        return urlsplit(origin.decode("latin-1")).netloc.lower() == host.decode("latin-1").lower()
    except ValueError:
        return False


def _without_port(host: str) -> str:
    """The name that a Host header holds; nothing where what follows is no port."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""
