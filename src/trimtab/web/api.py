"""The API: the accounts of the views as JSON, the same as the commands' `--json`."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trimtab.atoms.error import UsageError
from trimtab.views.account import (
    actions_account,
    checks_account,
    lineage_account,
    models_account,
    record_account,
    runs_account,
    status_account,
)
from trimtab.views.memory import Memory
from trimtab.views.name import resolve

MOST_RECORDS = 1000

Account = Callable[[Memory, Request], dict[str, Any]]


def api_routes(memory: Memory) -> list[Route]:
    """Routes of `/api/v1`."""
    accounts: dict[str, Account] = {
        "/head": lambda memory, request: {"entries": memory.head[0], "chain": memory.head[1]},
        "/status": lambda memory, request: status_account(memory),
        "/models": lambda memory, request: models_account(memory),
        "/runs": lambda memory, request: runs_account(memory, request.query_params.get("model")),
        "/checks": _checks,
        "/actions": lambda memory, request: actions_account(
            memory, _limit(request), request.query_params.get("kind")
        ),
        "/lineage/{name:path}": lambda memory, request: lineage_account(memory, request.path_params["name"]),
        "/records/{name:path}": lambda memory, request: record_account(
            memory, resolve(memory, request.path_params["name"])
        ),
    }
    return [Route(f"/api/v1{path}", _endpoint(memory, account)) for path, account in accounts.items()]


def _endpoint(memory: Memory, account: Account) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        memory.refresh()
        try:
            body = msgspec.json.encode(account(memory, request))
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})

    return answer


def _checks(memory: Memory, request: Request) -> dict[str, Any]:
    verdict = request.query_params.get("verdict")
    if verdict not in (None, "PASS", "FAIL", "UNSURE", "BROKEN"):
        raise HTTPException(400, "verdict is one of PASS, FAIL, UNSURE, BROKEN")
    return checks_account(memory, _limit(request), verdict)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "100")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_RECORDS):
        raise HTTPException(400, f"limit is a whole number from 1 to {MOST_RECORDS}")
    return int(text)
