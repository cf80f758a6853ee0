"""Tokens: what a program or a person shows to be let in from elsewhere."""

import base64
import binascii
import hashlib
import re
import secrets
import string
import zlib
from enum import StrEnum
from typing import NamedTuple

import msgspec

from trimtab.atoms.permission import GIVES, Permission, Role

#: Characters of the random part: 178 bits.
_RANDOM_LENGTH = 30
_CHECK_LENGTH = 6
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: What a token looks like, for those who search logs and repositories for leaked ones.
PATTERN = re.compile(rf"tt_[a-z]+_[0-9A-Za-z]{{{_RANDOM_LENGTH}}}_[0-9A-Za-z]{{{_CHECK_LENGTH}}}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


class TokenState(StrEnum):
    """Whether a token lets anybody in."""

    LIVING = "living"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of a token: everything but the token itself."""

    name: str
    roles: tuple[Role, ...]
    #: Name of the project that it is for.
    project: str
    #: SHA-256 of the token, in hex.
    digest: str
    #: Who gave it, as an Action's `by`.
    given_by: str
    #: UTC, ISO 8601.
    given_at: str
    #: UTC, ISO 8601; empty: never.
    expires_at: str = ""
    #: UTC, ISO 8601; empty: not revoked.
    revoked_at: str = ""
    #: The Action that gave it.
    action: str = ""

    def state(self, now: str) -> TokenState:
        """How it stands at a moment (UTC, ISO 8601 as `iso` writes it)."""
        if self.revoked_at:
            return TokenState.REVOKED
        if self.expires_at and self.expires_at <= now:
            return TokenState.EXPIRED
        return TokenState.LIVING

    @property
    def permissions(self) -> frozenset[Permission]:
        """What its roles give together."""
        return frozenset().union(*(GIVES[role] for role in self.roles))


class Known(NamedTuple):
    """A token that was given, and how it stands now."""

    token: Token
    state: TokenState
    permissions: frozenset[Permission]

    @property
    def living(self) -> bool:
        """Whether it lets anybody in."""
        return self.state is TokenState.LIVING


def known(token: Token, now: str) -> Known:
    """How a token stands at a moment (UTC, ISO 8601)."""
    return Known(token, token.state(now), token.permissions)


def make_secret(roles: tuple[Role, ...]) -> str:
    """A new token: `tt_KIND_RANDOM_CHECKSUM`, its kind the first role's name."""
    drawn = "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM_LENGTH))
    body = f"tt_{roles[0].value}_{drawn}"
    return f"{body}_{_checksum(body)}"


def is_secret(text: str) -> bool:
    """Whether this is a token that was written down rightly: a typo is told from a revoked one by its checksum."""
    if PATTERN.fullmatch(text) is None:
        return False
    body, _, check = text.rpartition("_")
    return check == _checksum(body)


def secret_digest(secret: str) -> str:
    """What of a token is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def shown_secret(authorization: bytes) -> str:
    """The token in an `Authorization` header: `Bearer TOKEN`, or Basic with the token as its password.

    Raises:
        ValueError: The header is of another form; the message says so without repeating it.
    """
    scheme, _, value = authorization.partition(b" ")
    scheme, value = scheme.lower(), value.strip()
    if scheme == b"bearer":
        return value.decode("latin-1")
    if scheme != b"basic":
        raise ValueError(
            "the Authorization header is neither `Bearer TOKEN` nor Basic with the token as password"
        )
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2].decode("latin-1")
    except (binascii.Error, ValueError):
        raise ValueError("the Basic authorization is no base64") from None


def why_dead(secret: str, found: Known | None) -> str:
    """What the holder of a token that lets nobody in is told."""
    if found is None:
        return (
            "nobody was given this token here"
            if is_secret(secret)
            else "this is no token: it may be cut short"
        )
    return "this token has expired" if found.state is TokenState.EXPIRED else "this token was revoked"


def is_token_name(name: str) -> bool:
    """Whether a token may be called so: what tells tokens apart in the audit log."""
    return _NAME.fullmatch(name) is not None


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
