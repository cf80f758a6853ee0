"""Page tokens: where a page ended, and which question it was a page of."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.atoms.run_query import Query

_QUESTION_BYTES = 8


def token_of(query: Query, keys: Sequence[Any]) -> str:
    """The token of a page that ended with a thing with these keys."""
    return base64.urlsafe_b64encode(_question(query) + msgspec.msgpack.encode(keys)).decode()


def token_keys(query: Query) -> list[Any]:
    """The keys in the query's token: rank and value for each part of its order, then moment and id.

    Raises:
        UsageError: It is no token, or one of another question.
    """
    try:
        token = base64.b64decode(query.after, altchars=b"-_", validate=True)
        if token[:_QUESTION_BYTES] != _question(query):
            raise UsageError("the page token is one of another question: ask for the first page again")
        keys = msgspec.msgpack.decode(token[_QUESTION_BYTES:], type=list[int | float | str | None])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise UsageError("this is no page token: give `after` as the page before said it") from error
    whole = [key for key in keys if isinstance(key, int)]
    if len(keys) != 2 * len(query.order) + 2 or not all(-(1 << 63) <= key < 1 << 63 for key in whole):
        raise UsageError("this is no page token: give `after` as the page before said it")
    return keys


def _question(query: Query) -> bytes:
    asked = (query.experiments, query.where, query.order, query.deleted)
    return hashlib.sha256(msgspec.msgpack.encode(asked)).digest()[:_QUESTION_BYTES]
