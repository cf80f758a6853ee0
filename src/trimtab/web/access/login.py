"""A browser's login: a token is pasted once, and kept in a cookie that no script reads and no other site sends."""

from pathlib import Path

import msgspec

from trimtab.web.access.gate import COOKIE, Gate
from trimtab.web.access.permission import Permission
from trimtab.web.route import Call, Response, Route

_PAGE = Path(__file__).parent.parent / "templates" / "login.html"


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page sends."""

    token: str


def login_routes(gate: Gate, *, secure: bool) -> list[Route]:
    """`/login` and `/logout`; for everybody, as nobody has a token yet who comes here.

    Args:
        secure: Whether browsers reach this server by TLS: the cookie is then sent by TLS only.
    """
    kept = f"{COOKIE.decode()}={{}}; Path=/; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"

    async def show(call: Call) -> Response:
        return Response(login_page(), media_type="text/html", headers={"cache-control": "no-store"})

    async def login(call: Call) -> Response:
        await gate.settle()
        secret = call.body.token.strip()
        gate.holder(secret)
        return Response(status_code=204, headers={"set-cookie": kept.format(secret)})

    async def logout(call: Call) -> Response:
        return Response(status_code=204, headers={"set-cookie": f"{kept.format('')}; Max-Age=0"})

    return [
        Route("GET", "/login", Permission.OPEN, show, "Where a token is pasted.", documented=False),
        Route("POST", "/login", Permission.OPEN, login, "Keep a token.", body=Login, documented=False),
        Route("POST", "/logout", Permission.OPEN, logout, "Forget it.", documented=False),
    ]


def login_page() -> bytes:
    """The page that asks for a token."""
    return _PAGE.read_bytes()
