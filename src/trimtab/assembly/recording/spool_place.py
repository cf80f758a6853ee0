"""Where this machine keeps what waits for a server."""

import hashlib
import os
import re
import sys
from pathlib import Path

from trimtab.atoms.error import UsageError

_SERVER = "server"


def spool_root() -> Path:
    """`TRIMTAB_SPOOL`, else `trimtab/spool` where this platform keeps the state of a user's programs."""
    named = os.environ.get("TRIMTAB_SPOOL")
    if named:
        return Path(named).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "trimtab" / "spool"
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state") / "trimtab" / "spool"


def spool_folder(url: str) -> Path:
    """The folder of the calls to one server, made where it is not there; it says which server that is."""
    words = re.sub(r"[^a-z0-9.]+", "-", url.partition("://")[2].lower()).strip("-")[:60]
    folder = spool_root() / f"{words}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / _SERVER).exists():
        draft = folder / f"{_SERVER}.{os.getpid()}"
        draft.write_text(url, encoding="utf-8")
        os.replace(draft, folder / _SERVER)
    return folder


def spooled_servers() -> list[str]:
    """Addresses of the servers for which there are spools on this machine, sorted."""
    stated = spool_root().glob(f"*/{_SERVER}")
    return sorted(path.read_text(encoding="utf-8").strip() for path in stated)


def server_address(url: str) -> str:
    """The address without what does not name the server.

    Raises:
        UsageError: It is none, or holds a user or a password.
    """
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        shown = re.sub(r"//[^/]*@", "//***@", url)
        raise UsageError(f"{shown!r} is no address of a server: give one as http://127.0.0.1:8500")
    if "@" in url:
        raise UsageError(
            "an address of a server holds no user and no password: set TRIMTAB_TOKEN to a token instead"
        )
    return url.rstrip("/")
