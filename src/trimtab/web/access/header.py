"""Headers that every answer carries, so that a browser does nothing with it that was not meant."""

_POLICY = (
    b"default-src 'none'",
    b"style-src 'self'",
    b"img-src 'self' data:",
    b"script-src 'self'",
    b"connect-src 'self'",
    b"base-uri 'none'",
    b"form-action 'self'",
    b"frame-ancestors 'none'",
)

#: Of pages, files and refusals.
GUARDED = (
    (b"content-security-policy", b"; ".join(_POLICY)),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

#: Of JSON, which runs nothing and is never kept.
JSON_GUARDED = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
