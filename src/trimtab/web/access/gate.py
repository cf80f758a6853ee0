"""The gate: who calls, and what that one may do."""

from typing import NamedTuple, Protocol

from trimtab.atoms.actor import Actor
from trimtab.atoms.token import Known, shown_secret, why_dead
from trimtab.loop.serve.own_host import is_own
from trimtab.web.access.permission import Permission
from trimtab.web.route import Refused

#: The cookie that a browser shows after a login.
COOKIE = b"trimtab"


class Ring(Protocol):
    """Contract: knows every token that was given up to a second ago."""

    @property
    def ready(self) -> bool:
        """Whether every token that was given before is known yet."""
        ...

    def find(self, secret: str) -> Known | None:
        """The token, and how it stands now; None where nobody was ever given it."""
        ...

    async def wait(self) -> None:
        """Return when `ready` holds."""
        ...


class Caller(NamedTuple):
    """Who calls."""

    actor: Actor
    permissions: frozenset[Permission]
    #: What the log may call the caller.
    name: str


#: Who calls a route that is open to everybody.
NOBODY = Caller(Actor(by="person:nobody"), frozenset({Permission.OPEN}), "nobody")


class Gate:
    """Tells callers apart by the token that they show, or by their being on this machine."""

    def __init__(self, project: str, *, ring: Ring | None = None, local: Actor | None = None) -> None:
        """
        Args:
            ring: The tokens; None: there are none.
            local: Who stands behind a request without a token; None: nobody does, each needs one.
        """
        self._project, self._ring = project, ring
        self._local = None if local is None else Caller(local, frozenset(Permission), local.by)

    @property
    def required(self) -> bool:
        """Whether each request needs a token."""
        return self._local is None

    async def settle(self) -> None:
        """Return when every token that was given before is known; at once but for a server's first moments."""
        if self._ring is not None and not self._ring.ready:
            await self._ring.wait()

    def admit(self, headers: dict[bytes, bytes], method: str, permission: Permission) -> Caller:
        """Who calls.

        Raises:
            Refused: 401 without a token that lives, 403 where its roles do not give the permission.
            Foreign: It is another project's.
        """
        secret, by_cookie = _shown(headers)
        if secret is None:
            if self._local is None:
                raise Refused(
                    401,
                    "a token is needed: send `Authorization: Bearer tt_...` (`trimtab token create` makes one)",
                )
            return self._local
        token, _, permissions = self.holder(secret)
        if by_cookie and method not in ("GET", "HEAD"):
            _require_own_page(headers)
        if permission not in permissions:
            roles = ", ".join(token.roles)
            said = f"this needs the permission {permission.value!r}, which {roles} does not give"
            raise NotGiven(403, said, token.name)
        return Caller(
            Actor(by=f"token:{token.name}", parent=token.action), permissions, f"token:{token.name}"
        )

    def holder(self, secret: str) -> Known:
        """The token, where it lives and is this project's; Refused 401 or Foreign where not."""
        found = None if self._ring is None else self._ring.find(secret)
        if found is None or not found.living:
            raise Refused(401, why_dead(secret, found))
        if found.token.project != self._project:
            raise Foreign
        return found


class NotGiven(Refused):
    """403: its roles do not give the permission; with the name of the token, for the log."""

    def __init__(self, status: int, detail: str, name: str) -> None:
        super().__init__(status, detail)
        self.name = name


class Foreign(Exception):
    """The token is another project's: for its holder nothing is here."""


def _shown(headers: dict[bytes, bytes]) -> tuple[str | None, bool]:
    """The token that a request shows, and whether a browser showed it by itself; None where there is none."""
    given = headers.get(b"authorization")
    if given is not None:
        try:
            return shown_secret(given), False
        except ValueError as error:
            raise Refused(401, str(error)) from None
    for part in headers.get(b"cookie", b"").split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == COOKIE and value:
            return value.decode("latin-1"), True
    return None, False


def _require_own_page(headers: dict[bytes, bytes]) -> None:
    """A browser sends the cookie by itself: only our own pages may make it change anything."""
    origin = headers.get(b"origin")
    own = origin is not None and is_own(origin, headers.get(b"host", b""))
    if not own and headers.get(b"sec-fetch-site") != b"same-origin":
        raise Refused(403, "only this server's own pages may change something with the login of a browser")
