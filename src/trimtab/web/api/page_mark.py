"""Where a page ended, as clients hand it back: they read nothing into it."""

from trimtab.web.route import Refused


def mark_of(number: int) -> str:
    """The mark of a place."""
    return f"p{number:x}"


def place_of(mark: str) -> int | None:
    """The place of a mark; None for the first page. Refused 400 where nobody gave such a mark."""
    if not mark:
        return None
    digits = mark[1:]
    if mark[0] != "p" or not 1 <= len(digits) <= 15 or not set(digits) <= set("0123456789abcdef"):
        raise Refused(400, "after is what the page before gave as `after`, or left out")
    return int(digits, 16)
