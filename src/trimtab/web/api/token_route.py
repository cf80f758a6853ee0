"""The route of tokens: who was given one; the tokens themselves are known to nobody here."""

import threading

from trimtab.engine.store import Store
from trimtab.views.access import Tokens
from trimtab.web.access.permission import Permission
from trimtab.web.api.view_answer import TokenAnswer, TokenList
from trimtab.web.route import Call, Route


def token_routes(store: Store, project: str) -> list[Route]:
    """Reading the list of the tokens that were given for a project."""
    tokens, lock = Tokens(store), threading.Lock()

    def listed(call: Call) -> TokenList:
        with lock:
            tokens.refresh()
            every = [token for token in tokens.all() if token.project == project]
        return TokenList(
            tokens=[
                TokenAnswer(
                    name=token.name,
                    roles=[role.value for role in token.roles],
                    project=token.project,
                    given_by=token.given_by,
                    given_at=token.given_at,
                    expires_at=token.expires_at,
                    revoked_at=token.revoked_at,
                )
                for token in every
            ]
        )

    return [
        Route(
            "GET", "/api/v1/tokens", Permission.AUDIT, listed, "Every token that was given.", answer=TokenList
        )
    ]
