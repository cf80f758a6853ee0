"""What a server's refusal says: its sentence, and when to come back."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec


def detail_of(body: bytes) -> str:
    """The sentence of a problem+json, or the beginning of whatever came."""
    try:
        return str(msgspec.json.decode(body)["detail"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body.decode("utf-8", "replace")[:200]


def retry_after_s(header: str | None) -> float | None:
    """Seconds, from a header in seconds or as a date; None where it says neither."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
