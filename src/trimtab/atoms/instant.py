"""Moments: UTC, aware, written one way."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Write an aware moment as `2013-02-01T05:00:00.000000Z`: sortable as text.

    Raises:
        ValueError: The moment has no time zone: Trimtab does not guess one.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: give an aware datetime")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime:
    """Read what `iso` wrote (or any ISO 8601 text; without an offset it is UTC)."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
