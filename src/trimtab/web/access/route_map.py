"""The map of routes: which one a path means, and whether every one says who may ask."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from trimtab.atoms.token import PATTERN
from trimtab.web.route import Refused

Place = TypeVar("Place")
#: Paths that are remembered, and their longest, in bytes.
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 4096, 256


@dataclass(slots=True)
class _Knot(Generic[Place]):
    """A point of the tree that paths are walked along, one part after the other."""

    literals: "dict[str, _Knot[Place]]" = field(default_factory=dict)
    any: "_Knot[Place] | None" = None
    #: Takes all that is left, slashes too.
    rest: "dict[str, tuple[Place, tuple[str, ...]]] | None" = None
    #: By method; with the names of the path's values in order.
    ends: dict[str, tuple[Place, tuple[str, ...]]] = field(default_factory=dict)


class RouteMap(Generic[Place]):
    """Places by method and path. A literal part goes before a `{name}`, and that before a `{name:path}`."""

    def __init__(self) -> None:
        self._root: _Knot[Place] = _Knot()
        #: Paths without names, as they are nearly always written.
        self._plain: dict[bytes, dict[str, tuple[Place, tuple[str, ...]]]] = {}
        #: Paths with names, as they were found before.
        self._found: dict[bytes, tuple[dict[str, tuple[Place, tuple[str, ...]]], list[str]]] = {}

    def add(self, method: str, path: str, place: Place) -> None:
        """Put a place on the map.

        Raises:
            ValueError: The path is no path, or the place is taken; the message says which.
        """
        if not path.startswith("/"):
            raise ValueError("a path begins with a slash")
        knot, names = self._root, []
        parts = path[1:].split("/")
        for number, part in enumerate(parts):
            if part.startswith("{") and part.endswith(":path}"):
                if number != len(parts) - 1:
                    raise ValueError(f"{part} is not the last part of its path")
                names.append(part[1:-6])
                knot.rest = {} if knot.rest is None else knot.rest
                _claim(knot.rest, method, place, names)
                return
            if part.startswith("{") and part.endswith("}"):
                names.append(part[1:-1])
                knot.any = _Knot() if knot.any is None else knot.any
                knot = knot.any
            else:
                knot = knot.literals.setdefault(part, _Knot())
        _claim(knot.ends, method, place, names)
        if not names:
            self._plain[path.encode()] = knot.ends

    def find(self, method: str, raw_path: bytes) -> tuple[Place, dict[str, str]]:
        """The place that a path as it came on the wire means, and the values of its names, percent-decoded.

        Raises:
            Refused: 404, 405, or 400 where the path does not decode to UTF-8. With `allow` in the message of a 405.
        """
        ends = self._plain.get(raw_path)
        values: list[str] = []
        if ends is None:
            found = self._found.get(raw_path) or self._walk(raw_path)
            if found is None:
                raise Refused(404, f"nothing is at {shown(raw_path)}", "ENDPOINT_NOT_FOUND")
            ends, values = found
        end = ends.get(method)
        if end is None and method == "HEAD":
            end = ends.get("GET")
        if end is None:
            raise NotTaken(method, shown(raw_path), sorted(ends))
        place, names = end
        return place, dict(zip(names, values, strict=True))

    def _walk(self, raw_path: bytes) -> tuple[dict[str, tuple[Place, tuple[str, ...]]], list[str]] | None:
        parts = [_decoded(part) for part in raw_path[1:].split(b"/")]
        found = _follow(self._root, parts, 0)
        if found is not None and len(raw_path) <= _LONGEST_REMEMBERED:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[raw_path] = found
        return found


class NotTaken(Refused):
    """405, with the methods that the path does take."""

    def __init__(self, method: str, path: str, takes: Sequence[str]) -> None:
        self.allow = ", ".join([*takes, *(["HEAD"] if "GET" in takes else [])])
        super().__init__(405, f"{path} takes {self.allow}, not {method[:20]}")


def shown(raw_path: bytes) -> str:
    """A path for a message: short, still percent-encoded, and without a token that somebody put into it."""
    return PATTERN.sub("tt_...", raw_path.decode("latin-1"))[:100]


def _follow(
    knot: _Knot[Place], parts: list[str], at: int
) -> tuple[dict[str, tuple[Place, tuple[str, ...]]], list[str]] | None:
    if at == len(parts):
        return (knot.ends, []) if knot.ends else None
    part = parts[at]
    literal = knot.literals.get(part)
    if literal is not None and (found := _follow(literal, parts, at + 1)) is not None:
        return found
    if part and knot.any is not None and (found := _follow(knot.any, parts, at + 1)) is not None:
        return found[0], [part, *found[1]]
    if knot.rest is not None and (rest := "/".join(parts[at:])):
        return knot.rest, [rest]
    return None


def _claim(
    ends: dict[str, tuple[Place, tuple[str, ...]]], method: str, place: Place, names: list[str]
) -> None:
    if method in ends:
        raise ValueError("two routes are there")
    if len(set(names)) != len(names):
        raise ValueError("a name stands in it twice")
    ends[method] = (place, tuple(names))


def _decoded(part: bytes) -> str:
    if b"%" not in part:
        return _text(part)
    return _text(unquote_to_bytes(part))


def _text(part: bytes) -> str:
    try:
        text = part.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, "the path is not UTF-8 once its percent signs are decoded") from error
    if "\0" in text:
        raise Refused(400, "the path holds a zero byte")
    return text
