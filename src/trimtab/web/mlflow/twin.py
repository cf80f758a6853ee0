"""Routes of MLflow's protocol under each of the prefixes that its clients and pages use."""

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from trimtab.atoms.error import Conflict
from trimtab.web.access.permission import Permission
from trimtab.web.route import JSON_BYTES, Call, Endpoint, Refused, Route

#: Where MLflow's second and third protocol versions are; the pages of MLflow ask under the second prefix of each.
V2 = ("/api/2.0/mlflow", "/ajax-api/2.0/mlflow")
V3 = ("/api/3.0/mlflow", "/ajax-api/3.0/mlflow")
ARTIFACTS = ("/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts")


class Nothing(msgspec.Struct, frozen=True):
    """An empty object; what else stands in it is passed over."""


def twins(
    method: str,
    path: str,
    permission: Permission,
    endpoint: Endpoint,
    summary: str,
    *,
    prefixes: Sequence[str] = V2,
    query: type[msgspec.Struct] | None = None,
    body: type[msgspec.Struct] | None = None,
    raw_body: bool = False,
    most_bytes: int = JSON_BYTES,
    conflict: str = "INVALID_PARAMETER_VALUE",
) -> list[Route]:
    """One route under each prefix.

    Args:
        conflict: MLflow's `error_code` of a Conflict; MLflow has no status of its own for it, and says 400.
    """
    told = _in_words_of_mlflow(endpoint, conflict)
    return [
        Route(
            method=method,
            path=prefix + path,
            permission=permission,
            endpoint=told,
            summary=summary,
            query=query,
            body=body,
            raw_body=raw_body,
            most_bytes=most_bytes,
            errors="mlflow",
            documented=False,
        )
        for prefix in prefixes
    ]


def _in_words_of_mlflow(endpoint: Endpoint, conflict: str) -> Endpoint:
    if inspect.iscoroutinefunction(endpoint):

        @functools.wraps(endpoint)
        async def told_later(call: Call) -> Any:
            try:
                return await endpoint(call)
            except Conflict as error:
                raise Refused(400, str(error), conflict) from error

        return told_later

    @functools.wraps(endpoint)
    def told(call: Call) -> Any:
        try:
            return endpoint(call)
        except Conflict as error:
            raise Refused(400, str(error), conflict) from error

    return told
