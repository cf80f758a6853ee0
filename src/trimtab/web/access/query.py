"""A query string, decoded as its route says."""

from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec

from trimtab.web.route import Refused

#: Values in one query string.
MOST_VALUES = 1000


class QueryReader:
    """Decodes one route's query string: each name once, but for those that are lists."""

    __slots__ = ("_fields", "_lists", "_shape", "_tolerant")

    def __init__(self, shape: type[msgspec.Struct], *, tolerant: bool) -> None:
        """
        Args:
            tolerant: Names that the struct does not have are passed over, as a foreign protocol's clients expect.
        """
        hints = get_type_hints(shape)
        self._fields = {field.encode_name for field in msgspec.structs.fields(shape)}
        self._lists = {
            field.encode_name for field in msgspec.structs.fields(shape) if _is_list(hints[field.name])
        }
        self._shape, self._tolerant = shape, tolerant

    def __call__(self, raw: bytes) -> Any:
        """The query as the struct; Refused 400 says what is wrong with it."""
        values: dict[str, Any] = {}
        for name, value in pairs(raw):
            if name not in self._fields:
                if self._tolerant:
                    continue
                known = ", ".join(sorted(self._fields)) or "none"
                raise Refused(400, f"the query knows no {name[:60]!r}; names are: {known}")
            if name in self._lists:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise Refused(400, f"the query names {name} twice")
            else:
                values[name] = value
        try:
            return msgspec.convert(values, self._shape, strict=False)
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            raise Refused(400, f"the query does not fit: {error}") from error


def pairs(raw: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string, in order; Refused 400 where it is none."""
    if not raw:
        return []
    try:
        found = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_VALUES
        )
    except UnicodeDecodeError as error:
        raise Refused(400, "the query is not UTF-8 once its percent signs are decoded") from error
    except ValueError as error:
        raise Refused(400, f"the query holds more than {MOST_VALUES} values") from error
    if any("\0" in text for pair in found for text in pair):
        raise Refused(400, "the query holds a zero byte")
    return found


def _is_list(hint: Any) -> bool:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_is_list(each) for each in get_args(hint))
    return (origin or hint) in (list, tuple, set, frozenset)
