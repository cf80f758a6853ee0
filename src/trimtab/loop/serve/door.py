"""The door: which hosts and origins a request may name (against DNS rebinding and foreign pages)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from trimtab.loop.serve.exchange import Request
from trimtab.loop.serve.problem import Problem
from trimtab.loop.serve.strict_http import repeated_header

#: Names of this machine as its own users write them.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SAFE_METHODS = ("GET", "HEAD")
_MOST_REMEMBERED = 256
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]{0,5})?")


class Door:
    """Lets requests in by their Host and Origin headers."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """
        Args:
            hosts: Names and addresses without a port; IPv6 in brackets. Loopback's are always added.
        """
        self._hosts = {host.lower() for host in (*LOOPBACK, *hosts) if host}
        #: Host headers that were let in before, as they came.
        self._known: set[bytes] = set()

    def admit(self, request: Request) -> None:
        """Problem where the request comes by a name, or from a page, that this server does not know; or twice."""
        if len(request.headers) != len(request.all_headers):
            twice = repeated_header(request.all_headers)
            if twice is not None:
                raise Problem(400, f"the header {twice} comes twice", rule="header")
        host = request.headers.get(b"host", b"")
        if host not in self._known:
            if _without_port(host.decode("latin-1").lower()) not in self._hosts:
                raise Problem(
                    400,
                    "the Host header names no host of this server; allow it with [serve] allowed_hosts in trimtab.toml",
                    rule="host",
                )
            if len(self._known) < _MOST_REMEMBERED:
                self._known.add(host)
        if request.method in _SAFE_METHODS:
            return
        origin = request.headers.get(b"origin")
        if origin is not None and not _is_own(origin, host):
            raise Problem(403, "pages of another origin may not post here", rule="origin")
        if origin is None and request.headers.get(b"sec-fetch-site", b"none") not in (
            b"none",
            b"same-origin",
        ):
            raise Problem(403, "pages of another site may not post here", rule="origin")


def _is_own(origin: bytes, host: bytes) -> bool:
    try:
        return urlsplit(origin.decode("latin-1")).netloc.lower() == host.decode("latin-1").lower()
    except ValueError:
        return False


def _without_port(host: str) -> str:
    """The name that a Host header holds; nothing where what follows is no port."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""
