"""The door: which hosts and origins a request may name, against DNS rebinding and foreign pages."""

from collections.abc import Iterable

from trimtab.loop.serve.own_host import OwnHosts, is_own
from trimtab.loop.serve.strict_http import repeated_header
from trimtab.web.route import Refused

_SAFE_METHODS = ("GET", "HEAD")


class Door:
    """Lets requests in by what their headers name."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        """
        Args:
            hosts: Names and addresses without a port, beside loopback's; IPv6 addresses in brackets.
        """
        self._own = OwnHosts(hosts)

    def admit(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Refused 403 where the request comes by a name, or from a page, that this server does not know."""
        host = headers.get(b"host", b"")
        if not self._own.knows(host):
            raise Refused(
                403,
                "the Host header names no host of this server: see allowed_hosts in [control] of trimtab.toml",
            )
        if method in _SAFE_METHODS:
            return
        origin = headers.get(b"origin")
        if origin is not None and not is_own(origin, host):
            raise Refused(403, "pages of another origin may change nothing here")
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            raise Refused(403, "pages of another site may change nothing here")


def require_once(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refused 400 where a header that decides who gets in comes twice."""
    name = repeated_header(headers)
    if name is not None:
        raise Refused(400, f"the header {name} comes twice")
