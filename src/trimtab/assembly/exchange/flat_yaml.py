"""The YAML of MLflow's meta files: a mapping of scalars, with mappings and lists of scalars in it. No more is read.

It is what PyYAML writes in block style: plain, single-quoted and double-quoted scalars, folded over lines. Tags,
anchors, documents and flow collections are refused: nothing in such a file can make a program do anything.
"""

import re
from typing import Any

from trimtab.atoms.error import UsageError

_KEY = re.compile(
    r"(?P<key>'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"|[^\s'\"#&*!|>%@`\[\]{},?-][^#]*?|-?\d[^#]*?):(?: +|$)"
)
_WHOLE = re.compile(r"[-+]?[0-9]+")
_REAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_SPECIAL = {".nan": float("nan"), ".inf": float("inf"), "-.inf": float("-inf")}
_ESCAPES = {
    **{"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b"},
    **{" ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"},
}
_CODE_DIGITS = {"x": 2, "u": 4, "U": 8}


def read_flat_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping that a meta file holds.

    Args:
        name: Of the file, for messages.

    Raises:
        UsageError: It is not of this kind.
    """
    lines = _Lines(text.split("\n"), name)
    found = lines.mapping(0)
    if lines.here() is not None:
        raise lines.refusal()
    return found


class _Lines:
    def __init__(self, lines: list[str], name: str) -> None:
        self._lines, self._name, self._at = lines, name, 0

    def here(self) -> str | None:
        """The line that comes next; None at the end."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and not line.lstrip().startswith("#"):
                return line
            self._at += 1
        return None

    def mapping(self, indent: int) -> dict[str, Any]:
        """Keys at this indentation, with their values."""
        found: dict[str, Any] = {}
        while (
            (line := self.here()) is not None
            and _indent(line) == indent
            and not line.startswith("- ", indent)
        ):
            match = _KEY.match(line, indent)
            if match is None:
                raise self.refusal()
            key = str(self._scalar(match["key"], indent)) if match["key"][0] in "'\"" else match["key"]
            found[key] = self._value(line[match.end() :], indent)
        return found

    def refusal(self) -> UsageError:
        """Says which line cannot be read."""
        return UsageError(f"{self._name}, line {self._at + 1}: not the YAML of an MLflow meta file")

    def _value(self, rest: str, indent: int) -> Any:
        if rest.strip() in ("{}", "[]"):
            self._at += 1
            return {} if rest.strip() == "{}" else []
        if rest.strip():
            return self._scalar(rest, indent)
        self._at += 1
        below = self.here()
        if below is None or _indent(below) < indent:
            return None
        if below.startswith("- ", _indent(below)):
            return self._list(_indent(below))
        return self.mapping(_indent(below)) if _indent(below) > indent else None

    def _list(self, indent: int) -> list[Any]:
        items = []
        while (
            (line := self.here()) is not None
            and line.startswith("- ", _indent(line))
            and _indent(line) == indent
        ):
            items.append(self._scalar(line[indent + 2 :], indent))
        return items

    def _scalar(self, first: str, indent: int) -> Any:
        first = first.strip(" ")
        quote = first[:1]
        if quote in ("'", '"'):
            return self._quoted(first, quote)
        if quote in ("&", "*", "!", "|", ">", "{", "[", "%", "@", "`"):
            raise self.refusal()
        self._at += 1
        parts = [first]
        while self._at < len(self._lines) and (
            not self._lines[self._at].strip() or _indent(self._lines[self._at]) > indent
        ):
            parts.append(self._lines[self._at].strip())
            self._at += 1
        return _plain(_folded(parts).rstrip("\n"))

    def _quoted(self, first: str, quote: str) -> str:
        parts, ended = [first[1:]], False
        while not ended:
            end = _end(parts[-1], quote)
            if end >= 0:
                if parts[-1][end + 1 :].strip():
                    # Only a key goes on after its end, and it is passed without what follows.
                    raise self.refusal()
                parts[-1], ended = parts[-1][:end], True
            self._at += 1
            if not ended:
                if self._at >= len(self._lines):
                    raise self.refusal()
                parts.append(self._lines[self._at].lstrip(" "))
        if quote == "'":
            return _folded(parts).replace("''", "'")
        return _unescaped(_folded_double(parts))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _end(text: str, quote: str) -> int:
    """Where a quoted scalar ends in a line; -1 where it goes on."""
    place = 0
    while place < len(text):
        if quote == '"' and text[place] == "\\":
            place += 2
            continue
        if text[place] == quote:
            if quote == "'" and text.startswith("''", place):
                place += 2
                continue
            return place
        place += 1
    return -1


def _folded(parts: list[str]) -> str:
    """Lines as one text: a break is a space, and n empty lines are n breaks."""
    text, empty = parts[0], 0
    for part in parts[1:]:
        if not part.strip():
            empty += 1
            continue
        text = text.rstrip(" ") + ("\n" * empty or " ") + part
        empty = 0
    return text.rstrip(" ") + "\n" * empty if empty else text


def _folded_double(parts: list[str]) -> str:
    """As `_folded`; a backslash at the end of a line joins it with the next one."""
    joined = [parts[0]]
    for part in parts[1:]:
        if joined[-1].endswith("\\") and not joined[-1].endswith("\\\\"):
            joined[-1] = joined[-1][:-1] + part
        else:
            joined.append(part)
    return _folded(joined)


def _unescaped(text: str) -> str:
    pieces, place = [], 0
    while (escape := text.find("\\", place)) >= 0:
        pieces.append(text[place:escape])
        code = text[escape + 1]
        digits = _CODE_DIGITS.get(code, 0)
        if digits:
            pieces.append(chr(int(text[escape + 2 : escape + 2 + digits], 16)))
        else:
            pieces.append(_ESCAPES[code])
        place = escape + 2 + digits
    return "".join([*pieces, text[place:]])


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    return float(text) if _REAL.fullmatch(text) else text
