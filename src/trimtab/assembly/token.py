"""Giving and revoking tokens: decisions in the ledger, which holds no token, only what it is recognised by."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from trimtab.atoms.actor import Actor
from trimtab.atoms.content.change import Change
from trimtab.atoms.error import Conflict, NotThere, UsageError
from trimtab.atoms.instant import iso
from trimtab.atoms.permission import Role
from trimtab.atoms.token import PATTERN, Token, TokenState, is_token_name, make_secret, secret_digest
from trimtab.engine.store import Store
from trimtab.tracking.decision import decide_change
from trimtab.views.access import CREATE, REVOKE, TOKEN, TokenFacts, Tokens

#: How long a token may live that expires.
LONGEST_LIFE = timedelta(days=36_525)


def create_token(
    store: Store,
    name: str,
    roles: Sequence[str],
    *,
    project: str,
    expires_in: timedelta | None,
    by: Actor,
) -> tuple[str, Token]:
    """Give a token; returns it, which is kept nowhere, and what is known of it from now on.

    Args:
        expires_in: From now; None: it does not expire.

    Raises:
        UsageError: A name or a role that there is not.
        Conflict: A living token has this name.
    """
    given = _roles(roles)
    _require_no_secret(name)
    if not is_token_name(name):
        raise UsageError(
            f"{name[:60]!r} names no token: give a letter or digit, then up to 63 of these and of - _ . @"
        )
    now = store.now()
    if expires_in is not None and expires_in <= timedelta(0):
        raise UsageError("a token that expires at once lets nobody in: give a longer time")
    if expires_in is not None and expires_in > LONGEST_LIFE:
        raise UsageError("a token lives a hundred years at most: give a shorter time, or `never`")
    tokens = _read(store)
    before = tokens.named(project, name)
    if before and before[-1].state(iso(now)) is TokenState.LIVING:
        raise Conflict(f"a living token is called {name} already: revoke it first, or choose another name")
    secret = make_secret(given)
    facts = TokenFacts(
        digest=secret_digest(secret),
        roles=given,
        project=project,
        expires_at="" if expires_in is None else iso(now + expires_in),
    )
    change = Change(what=TOKEN, id=name, does="create", values=msgspec.to_builtins(facts))
    note = (
        f"{', '.join(given)}, {'never expires' if expires_in is None else 'until ' + facts.expires_at[:16]}"
    )
    # Of two that give the same name at once, the second finds its key taken.
    key = f"token-create {project}/{name} {len(before)}"
    try:
        decide_change(store, CREATE, [change], by=by, subject=name, note=note, key=key)
    except UsageError as error:
        raise Conflict(f"another token was called {name} at the same time: choose another name") from error
    tokens.refresh()
    return secret, tokens.named(project, name)[-1]


def revoke_token(store: Store, name: str, *, project: str, by: Actor) -> Token:
    """Let a token's holder in no more; every server knows of it within a second.

    Raises:
        NotThere: No token of the project has this name.
        UsageError: The name is a token itself.
    """
    _require_no_secret(name)
    tokens = _read(store)
    found = tokens.named(project, name)
    if not found:
        raise NotThere(f"no token is called {name[:60]!r}: `trimtab token list` shows those there are")
    if not found[-1].revoked_at:
        change = Change(what=TOKEN, id=name, does="revoke", values={"digest": found[-1].digest})
        decide_change(store, REVOKE, [change], by=by, subject=name)
        tokens.refresh()
    return tokens.named(project, name)[-1]


def all_tokens(store: Store, *, project: str) -> list[Token]:
    """Every token that was ever given for the project, in order."""
    return [token for token in _read(store).all() if token.project == project]


def token_account(token: Token, now: datetime) -> dict[str, Any]:
    """What anybody may know of a token, as JSON values; moments are empty where there is none."""
    return {
        "name": token.name,
        "state": token.state(iso(now)).value,
        "roles": [role.value for role in token.roles],
        "project": token.project,
        "given_at": token.given_at,
        "given_by": token.given_by,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "action": token.action,
    }


def _require_no_secret(name: str) -> None:
    if PATTERN.search(name):
        raise UsageError(
            "that name is a token itself, which must stand nowhere: give the name that the token is called by"
        )


def _read(store: Store) -> Tokens:
    tokens = Tokens(store)
    tokens.refresh()
    return tokens


def _roles(names: Sequence[str]) -> tuple[Role, ...]:
    known = [role.value for role in Role]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        said = f"{unknown[0][:40]!r} is no role" if unknown else "a token needs a role"
        raise UsageError(f"{said}: roles are {', '.join(known)}")
    return tuple(dict.fromkeys(Role(name) for name in names))
