"""Page tokens of lists that are cut here: how many items came before."""

import base64
import binascii

import msgspec

from trimtab.web.route import Refused


class _Token(msgspec.Struct, frozen=True):
    offset: int


def next_offset(offset: int) -> str:
    """The token of the page that begins after `offset` items."""
    return base64.b64encode(msgspec.json.encode(_Token(offset))).decode()


def offset_of(token: str | None) -> int:
    """How many items come before a page; Refused where the token is none of ours."""
    if not token:
        return 0
    try:
        found = msgspec.json.decode(base64.b64decode(token, validate=True), type=_Token).offset
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise Refused(400, f"page_token: {token[:60]!r} is no token of an earlier page") from error
    if found < 0:
        raise Refused(400, f"page_token: {token[:60]!r} is no token of an earlier page")
    return found
