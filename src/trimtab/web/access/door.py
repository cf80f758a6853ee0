"""The door: which hosts and origins a request may name, against DNS rebinding and foreign pages."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from trimtab.loop.serve.strict_http import repeated_header
from trimtab.web.route import Refused

#: Names of this machine's own loopback, always let in.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SAFE_METHODS = ("GET", "HEAD")
_MOST_REMEMBERED = 256
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]{0,5})?")


class Door:
    """Lets requests in by what their headers name."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        """
        Args:
            hosts: Names and addresses without a port, beside loopback's; IPv6 addresses in brackets.
        """
        self._hosts = {host.lower() for host in (*LOOPBACK, *hosts) if host}
        #: Host headers that were let in before, as they came.
        self._known: set[bytes] = set()

    def admit(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Refused 403 where the request comes by a name, or from a page, that this server does not know."""
        host = headers.get(b"host", b"")
        if host not in self._known:
            if _without_port(host.decode("latin-1").lower()) not in self._hosts:
                raise Refused(
                    403,
                    "the Host header names no host of this server: see allowed_hosts in [control] of trimtab.toml",
                )
            if len(self._known) < _MOST_REMEMBERED:
                self._known.add(host)
        if method in _SAFE_METHODS:
            return
        origin = headers.get(b"origin")
        if origin is not None and not is_own(origin, host):
            raise Refused(403, "pages of another origin may change nothing here")
        if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            raise Refused(403, "pages of another site may change nothing here")


def is_own(origin: bytes, host: bytes) -> bool:
    """Whether an `Origin` header names the server that `Host` names."""
    try:
        return urlsplit(origin.decode("latin-1")).netloc.lower() == host.decode("latin-1").lower()
    except ValueError:
        return False


def require_once(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refused 400 where a header that decides who gets in comes twice."""
    name = repeated_header(headers)
    if name is not None:
        raise Refused(400, f"the header {name} comes twice")


def _without_port(host: str) -> str:
    """The name that a Host header holds; nothing where what follows is no port."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""
