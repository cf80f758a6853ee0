"""A route: where something is answered, who may ask, what is taken and given; the API's document is made of these."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from trimtab.atoms.actor import Actor
from trimtab.web.access.permission import Permission

#: Bytes of a JSON body that a route takes where it does not say otherwise.
JSON_BYTES = 1_000_000


class Refused(Exception):
    """An answer that is no success; raised by an endpoint, written in the shape of the route's `errors`."""

    def __init__(self, status: int, detail: str, code: str = "") -> None:
        """
        Args:
            status: HTTP status, 400 or higher.
            detail: What happened and what to do.
            code: MLflow's `error_code`; empty: the one that belongs to the status.
        """
        super().__init__(detail)
        self.status, self.detail, self.code = status, detail, code


@dataclass(slots=True, weakref_slot=True)
class Call:
    """One request that was let in, decoded as its route says."""

    method: str
    #: Values of the path's `{names}`, percent-decoded.
    path: Mapping[str, str]
    #: An instance of the route's `query`, or None.
    query: Any
    #: An instance of the route's `body`, or None.
    body: Any
    actor: Actor
    #: What the caller may do; it holds the route's.
    permissions: frozenset[Permission]
    request_id: str
    #: Lower-case names.
    headers: Mapping[str, str]
    #: The raw body of a route with `raw_body`, chunk by chunk; the limit holds while it is read.
    stream: Callable[[], AsyncIterator[bytes]]
    #: Of the header `Idempotency-Key`; None where it was not sent.
    idempotency_key: str | None = None


#: Answers a call; a plain function runs in a thread, a coroutine function on the event loop, where it must not block.
#: A struct or a dict is sent as JSON, with status 200.
Endpoint = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One way of asking. A server with a route that declares no permission does not start."""

    method: str
    #: `/api/v1/runs/{run}`; a last `{name:path}` takes slashes too.
    path: str
    permission: Permission | None
    endpoint: Endpoint
    #: A sentence for the API's document.
    summary: str
    #: What the query string decodes to: strings, numbers, booleans, lists of strings; unknown names are refused.
    query: type[msgspec.Struct] | None = None
    #: What the JSON body decodes to, strictly; None: no body is taken.
    body: type[msgspec.Struct] | None = None
    #: What is answered; None: not JSON, or not described.
    answer: type[Any] | None = None
    #: The body is bytes of any kind, read by the endpoint: files.
    raw_body: bool = False
    most_bytes: int = JSON_BYTES
    #: `problem` (RFC 9457) or `mlflow` (`error_code` and `message`).
    errors: str = "problem"
    #: Whether the API's document lists it.
    documented: bool = True


__all__ = ["JSON_BYTES", "Call", "Endpoint", "Refused", "Response", "Route"]
