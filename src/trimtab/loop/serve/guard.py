"""The guard: who may ask for predictions, told by the token that a request shows."""

from typing import Protocol

from trimtab.atoms.permission import Permission
from trimtab.atoms.token import Known, shown_secret, why_dead
from trimtab.loop.serve.exchange import Request
from trimtab.loop.serve.problem import Problem


class Ring(Protocol):
    """Contract: knows every token that was given up to a second ago, also while nothing but the store is there."""

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


class Guard:
    """Lets requests in by their tokens."""

    def __init__(self, ring: Ring, project: str, *, required: bool) -> None:
        """
        Args:
            project: Name of the project that tokens must be for.
            required: False: a request without a token comes from this machine, and may ask.
        """
        self._ring, self._project, self.required = ring, project, required

    async def admit(self, request: Request, permission: Permission) -> None:
        """Problem 401 without a token that lives, 404 with another project's, 403 where its roles do not give it."""
        given = request.headers.get(b"authorization")
        if given is None:
            if self.required:
                raise Problem(
                    401,
                    "a token is needed: send `Authorization: Bearer tt_...`",
                    rule="token",
                    challenge=True,
                )
            return
        if not self._ring.ready:
            await self._ring.wait()
        try:
            secret = shown_secret(given)
        except ValueError as error:
            raise Problem(401, str(error), rule="token", challenge=True) from None
        found = self._ring.find(secret)
        if found is None or not found.living:
            raise Problem(401, why_dead(secret, found), rule="token", challenge=True)
        if found.token.project != self._project:
            raise Problem(404, f"there is nothing at {request.path[:100]}", rule="path")
        if permission not in found.permissions:
            roles = ", ".join(found.token.roles)
            said = f"this needs the permission {permission.value!r}, which {roles} does not give"
            raise Problem(403, said, rule="role")

    async def lets(self, request: Request, permission: Permission) -> bool:
        """Whether `admit` would."""
        try:
            await self.admit(request, permission)
        except Problem:
            return False
        return True
