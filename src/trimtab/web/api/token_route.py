"""Routes of tokens: who was given one, giving and revoking; a token itself is answered once, and kept nowhere."""

import threading
from datetime import timedelta
from typing import Any

import msgspec

from trimtab.assembly.token import create_token, revoke_token, token_account
from trimtab.engine.store import Store
from trimtab.views.access import Tokens
from trimtab.web.access.permission import Permission
from trimtab.web.api.body import TokenBody
from trimtab.web.api.repeat import Repeats
from trimtab.web.api.view_answer import NewToken, TokenAnswer, TokenList
from trimtab.web.route import Call, Route


def token_routes(store: Store, repeats: Repeats, project: str) -> list[Route]:
    """Reading and changing the tokens that were given for a project."""
    asked = _Tokens(store, repeats, project)
    at = "/api/v1/tokens"
    return [
        Route("GET", at, Permission.AUDIT, asked.listed, "Every token that was given.", answer=TokenList),
        Route(
            "POST",
            at,
            Permission.ADMINISTER,
            asked.create,
            "Give a token; it is answered this once, and a repeated call is answered 409.",
            body=TokenBody,
            answer=NewToken,
        ),
        Route(
            "DELETE",
            f"{at}/{{name}}",
            Permission.ADMINISTER,
            asked.revoke,
            "Let a token's holder in no more.",
            answer=TokenAnswer,
        ),
    ]


class _Tokens:
    def __init__(self, store: Store, repeats: Repeats, project: str) -> None:
        self._store, self._repeats, self._project = store, repeats, project
        self._given, self._lock = Tokens(store), threading.Lock()

    def listed(self, call: Call) -> TokenList:
        with self._lock:
            self._given.refresh()
            every = [token for token in self._given.all() if token.project == self._project]
        now = self._store.now()
        return msgspec.convert({"tokens": [token_account(each, now) for each in every]}, TokenList)

    def create(self, call: Call) -> Any:
        body: TokenBody = call.body

        def made(seed: str) -> NewToken:
            lives = None if body.expires_in_s is None else timedelta(seconds=body.expires_in_s)
            secret, token = create_token(
                self._store,
                body.name,
                body.roles,
                project=self._project,
                expires_in=lives,
                by=call.actor,
            )
            return msgspec.convert({"token": secret, **token_account(token, self._store.now())}, NewToken)

        return self._repeats.answer_once(
            call,
            "create token",
            made,
            "this token was given already, and is shown once: revoke it, make another",
        )

    def revoke(self, call: Call) -> Any:
        def revoked(seed: str) -> TokenAnswer:
            token = revoke_token(self._store, call.path["name"], project=self._project, by=call.actor)
            return msgspec.convert(token_account(token, self._store.now()), TokenAnswer)

        return self._repeats.answer(call, "revoke token", revoked)
