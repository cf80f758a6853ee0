"""Access: the tokens that were given, and what became of each; a fold of the ledger."""

from typing import Any

import msgspec

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.content.change import Change
from trimtab.atoms.entry import Record
from trimtab.atoms.permission import Permission, Role
from trimtab.atoms.token import Token
from trimtab.engine.store import Store

#: Kinds of the Actions that this fold reads.
CREATE, REVOKE = "token-create", "token-revoke"
#: What a `Change` of a token says it is about.
TOKEN = "token"
#: What reading a `Change` needs that is not for everybody who reads, by what it is about. That it was made, by whom
#: and when, is for them.
_NEEDED = {TOKEN: Permission.AUDIT}


class TokenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Values of the change that gives a token."""

    digest: str
    roles: tuple[Role, ...]
    project: str
    #: UTC, ISO 8601; empty: never.
    expires_at: str = ""


def permission_to_read(kind: str, content: Any) -> Permission:
    """What whoever is shown an artifact's content must have.

    Args:
        kind: The artifact's.
        content: As JSON values.
    """
    if kind != Change.kind or not isinstance(content, dict):
        return Permission.READ
    return _NEEDED.get(content.get("what", ""), Permission.READ)


class Tokens:
    """Tokens by name and by digest. A name is given again once the token that had it is dead."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._head = 0
        self._open: dict[str, Action] = {}
        self._by_digest: dict[str, Token] = {}
        #: Digests of the tokens of a project and name, in order.
        self._named: dict[tuple[str, str], list[str]] = {}

    def refresh(self) -> bool:
        """Take what the ledger got since the last call; True where a token was given or revoked."""
        if self._store.ledger.head()[0] == self._head:
            return False
        changed = False
        for entry in self._store.ledger.entries(after=self._head):
            changed = self.take(entry.record) or changed
            self._head = entry.seq
        return changed

    def take(self, record: Record) -> bool:
        """Feed one record; True where it gave or revoked a token."""
        if isinstance(record, Action):
            if record.kind in (CREATE, REVOKE):
                self._open[record.id] = record
            return False
        if not isinstance(record, Closing):
            return False
        action = self._open.pop(record.action, None)
        if action is None or record.outcome is not Outcome.DONE:
            return False
        for made in record.made:
            change = self._store.read(made, Change)
            if change.what == TOKEN:
                self._apply(action, change)
        return True

    def all(self) -> list[Token]:
        """Every token that was ever given, in order."""
        return list(self._by_digest.values())

    def named(self, project: str, name: str) -> list[Token]:
        """The tokens that had a name in a project, the newest last."""
        return [self._by_digest[digest] for digest in self._named.get((project, name), ())]

    def _apply(self, action: Action, change: Change) -> None:
        if change.does == "create":
            facts = msgspec.convert(change.values, TokenFacts)
            self._by_digest[facts.digest] = Token(
                name=change.id,
                roles=facts.roles,
                project=facts.project,
                digest=facts.digest,
                given_by=action.by,
                given_at=action.at,
                expires_at=facts.expires_at,
                action=action.id,
            )
            self._named.setdefault((facts.project, change.id), []).append(facts.digest)
        elif change.does == "revoke":
            digest = str(change.values["digest"])
            token = self._by_digest.get(digest)
            if token is not None and not token.revoked_at:
                self._by_digest[digest] = msgspec.structs.replace(token, revoked_at=action.at)
