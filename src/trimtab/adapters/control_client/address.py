"""A server's address, as a client was given it."""

import ipaddress
from urllib.parse import urlsplit

from trimtab.atoms.error import UsageError


def server_address(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        UsageError: It is none; a name and a password in it are not repeated.
    """
    try:
        parts = urlsplit(url)
        named = parts.username is not None or parts.password is not None
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named, fits = "@" in url, False
    if named:
        raise UsageError(
            "the server's address holds a name or a password, which others can read: "
            "give the address alone, and a token in TRIMTAB_TOKEN"
        )
    if not fits or "?" in url or "#" in url:
        raise UsageError(f"{url!r} is no address of a server: give one as http://127.0.0.1:8500")
    return url.rstrip("/")


def is_open_way(url: str) -> bool:
    """Whether others can read what is sent to this address: it leaves the machine without TLS."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    return parts.scheme == "http" and not here
