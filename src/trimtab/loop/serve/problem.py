"""A problem: what a client gets instead of an answer (RFC 9457, `application/problem+json`)."""

from typing import Any

import msgspec

#: The status line's words for the statuses that this plane gives.
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Request timeout",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    501: "Not implemented",
    503: "Service unavailable",
}


class Problem(Exception):
    """Ends a request with a status and a sentence that says what to do.

    Not a `TrimtabError`: it is an answer on the wire, never something the command line ends with.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "about:blank",
        column: str | None = None,
        rule: str | None = None,
        row: int | None = None,
        retry_after_s: int | None = None,
        allow: str | None = None,
        challenge: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.column = column
        self.rule = rule
        self.row = row
        self.retry_after_s = retry_after_s
        #: Methods that the path does take, for the `Allow` header of a 405.
        self.allow = allow
        #: Whether to say that a token would help.
        self.challenge = challenge

    def body(self, request_id: str, *, protocol_v2: bool = False) -> bytes:
        """The JSON of the answer; Open Inference Protocol clients look for the sentence under `error`."""
        fields: dict[str, Any] = {
            "type": self.kind,
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        for name in ("column", "rule", "row"):
            value = getattr(self, name)
            if value is not None:
                fields[name] = value
        if protocol_v2:
            fields["error"] = self.detail
        return msgspec.json.encode(fields)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Headers that belong to the status."""
        headers = []
        if self.retry_after_s is not None:
            headers.append((b"retry-after", str(self.retry_after_s).encode()))
        if self.allow is not None:
            headers.append((b"allow", self.allow.encode()))
        if self.challenge:
            headers.append((b"www-authenticate", b'Bearer realm="trimtab"'))
        return headers


def not_ready(detail: str) -> Problem:
    """Nothing can be answered yet; a client should come back in a second."""
    return Problem(503, detail, rule="ready", retry_after_s=1)


def busy(detail: str) -> Problem:
    """More is asked than can be answered; refused at once rather than late."""
    return Problem(429, detail, rule="load", retry_after_s=1)
