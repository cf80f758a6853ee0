"""The door: which hosts and origins a request may name (against DNS rebinding and foreign pages)."""

from collections.abc import Iterable

from trimtab.loop.serve.exchange import Request
from trimtab.loop.serve.own_host import OwnHosts, is_own
from trimtab.loop.serve.problem import Problem
from trimtab.loop.serve.strict_http import repeated_header

_SAFE_METHODS = ("GET", "HEAD")


class Door:
    """Lets requests in by their Host and Origin headers."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """
        Args:
            hosts: Names and addresses without a port; IPv6 in brackets. Loopback's are always added.
        """
        self._own = OwnHosts(hosts)

    def admit(self, request: Request) -> None:
        """Problem where the request comes by a name, or from a page, that this server does not know; or twice."""
        if len(request.headers) != len(request.all_headers):
            twice = repeated_header(request.all_headers)
            if twice is not None:
                raise Problem(400, f"the header {twice} comes twice", rule="header")
        host = request.headers.get(b"host", b"")
        if not self._own.knows(host):
            raise Problem(
                400,
                "the Host header names no host of this server; allow it with [serve] allowed_hosts in trimtab.toml",
                rule="host",
            )
        if request.method in _SAFE_METHODS:
            return
        origin = request.headers.get(b"origin")
        if origin is not None and not is_own(origin, host):
            raise Problem(403, "pages of another origin may not post here", rule="origin")
        if origin is None and request.headers.get(b"sec-fetch-site", b"none") not in (
            b"none",
            b"same-origin",
        ):
            raise Problem(403, "pages of another site may not post here", rule="origin")
