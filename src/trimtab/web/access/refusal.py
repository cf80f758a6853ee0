"""A refusal on the wire: a status and a sentence, in the shape that the route's clients read."""

import html
import logging
from pathlib import Path

import msgspec

from trimtab.atoms.error import (
    ConfigurationRefused,
    Conflict,
    ExecutorDied,
    NotThere,
    StoreError,
    TrimtabError,
    UsageError,
)
from trimtab.web.route import Refused

_LOG = logging.getLogger("trimtab.web")
_TEMPLATES = Path(__file__).parent.parent / "templates"
_PAGE, _LOGIN = _TEMPLATES / "problem.html", _TEMPLATES / "login.html"

TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    500: "Internal error",
    501: "Not implemented",
    503: "Service unavailable",
}

#: MLflow's words for a status, where the refusal has none of its own.
_MLFLOW_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
}

#: By the error's class, nearest first.
_STATUS: tuple[tuple[type[TrimtabError], int], ...] = (
    (NotThere, 404),
    (Conflict, 409),
    (UsageError, 400),
    (StoreError, 503),
    (ExecutorDied, 503),
    (ConfigurationRefused, 503),
)

UNREADABLE = (
    "the store cannot be read or written as it is: the server's log says why, beside this request's id; "
    "`trimtab fsck` examines it"
)
DEFECT = "a defect, or a damaged store: see the server's log and run `trimtab fsck`"


def refusal_of(error: Exception, request_id: str) -> Refused:
    """What a client is told of an error that an endpoint raised; a defect is logged, and told without its internals."""
    if isinstance(error, Refused):
        return error
    for kind, status in _STATUS:
        if isinstance(error, kind):
            if status < 500:
                return Refused(status, str(error))
            _LOG.error("request %s: %s", request_id, error)
            return Refused(status, UNREADABLE if isinstance(error, StoreError) else str(error))
    if isinstance(error, TrimtabError):
        return Refused(400, str(error))
    _LOG.error("request %s failed", request_id, exc_info=error)
    return Refused(500, DEFECT)


def body_of(refusal: Refused, shape: str, request_id: str) -> tuple[bytes, bytes]:
    """Media type and bytes of a refusal.

    Args:
        shape: `problem` (RFC 9457), `mlflow`, or `page` for a person's browser.
    """
    if shape == "mlflow":
        code = refusal.code or _MLFLOW_CODES.get(refusal.status, "BAD_REQUEST")
        said = {"error_code": code, "message": refusal.detail, "request_id": request_id}
        return b"application/json", msgspec.json.encode(said)
    if shape == "page" and refusal.status == 401:
        return b"text/html; charset=utf-8", _LOGIN.read_bytes()
    if shape == "page":
        page = _PAGE.read_text(encoding="utf-8")
        detail = html.escape(refusal.detail)
        filled = page.format(status=refusal.status, detail=detail, request_id=request_id)
        return b"text/html; charset=utf-8", filled.encode()
    problem = {
        "type": "about:blank",
        "title": TITLES.get(refusal.status, "Error"),
        "status": refusal.status,
        "detail": refusal.detail,
        "request_id": request_id,
    }
    return b"application/problem+json", msgspec.json.encode(problem)
