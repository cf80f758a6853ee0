"""The YAML of MLflow's meta files: a mapping of scalars, with mappings and lists of scalars in it. No more is read.

It is what PyYAML writes in block style: plain, single-quoted and double-quoted scalars, folded over lines. Tags,
anchors, documents and flow collections are refused: nothing in such a file can make a program do anything.
"""

import re
from typing import Any

from trimtab.atoms.error import UsageError

_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_PLAIN_KEY = re.compile(r"(?:[^\s'\"#&*!|>%@`\[\]{},?:-]|[?:-](?=\S))[^\n]*?(?=:(?:[ \n]|\Z))")
_LINE = re.compile(r"[^\n]*")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_REAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_SPECIAL = {".nan": float("nan"), ".inf": float("inf"), "-.inf": float("-inf")}
#: What no plain scalar begins with, and holds nowhere.
_NO_PLAIN = re.compile(r"[&*!|>%@`\[\]{},#'\"]|[?-](?:\s|\Z)")
_NOT_WITHIN = re.compile(r": | #|:\Z")
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029\r]")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPES = {
    **{"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b"},
    **{" ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"},
}
_SINGLE = re.compile(r"'((?:''|[^'])*)'")
_DOUBLE = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)


def read_flat_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping that a meta file holds.

    Args:
        name: Of the file, for messages.

    Raises:
        UsageError: It is not of this kind.
    """
    reader = _Reader(text, name)
    if _OTHER_BREAKS.search(text):
        raise reader.refusal()
    found = reader.mapping(0)
    if not reader.at_end():
        raise reader.refusal()
    return found


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text, self._name, self._at = text, name, 0

    def at_end(self) -> bool:
        """Whether nothing but blank lines is left."""
        self._skip()
        return not self._text[self._at :].strip()

    def mapping(self, indent: int) -> dict[str, Any]:
        """Keys at this indentation, with their values."""
        found: dict[str, Any] = {}
        while not self.at_end() and self._indent() == indent and not self._is_item(indent):
            self._at += indent
            key = self._key()
            found[key] = self._value(indent)
        return found

    def refusal(self) -> UsageError:
        """Says which line cannot be read."""
        line = self._text.count("\n", 0, self._at) + 1
        return UsageError(f"{self._name}, line {line}: not the YAML of an MLflow meta file")

    def _key(self) -> str:
        if self._text[self._at] in "'\"":
            key = self._quoted()
        else:
            match = _PLAIN_KEY.match(self._text, self._at)
            if match is None or _NOT_WITHIN.search(match[0]):
                raise self.refusal()
            key, self._at = match[0].rstrip(" "), match.end()
        if not self._text.startswith(":", self._at):
            raise self.refusal()
        self._at += 1
        return key

    def _value(self, indent: int) -> Any:
        rest = self._line().strip(" ")
        if rest in ("{}", "[]"):
            self._end_line()
            return {} if rest == "{}" else []
        if rest:
            return self._scalar(indent)
        self._end_line()
        if self.at_end():
            return None
        below = self._indent()
        if below >= indent and self._is_item(below):
            return self._list(below)
        return self.mapping(below) if below > indent else None

    def _list(self, indent: int) -> list[Any]:
        items = []
        while not self.at_end() and self._indent() == indent and self._is_item(indent):
            self._at += indent + 1
            items.append(self._scalar(indent))
        return items

    def _scalar(self, indent: int) -> Any:
        while self._text.startswith(" ", self._at):
            self._at += 1
        if self._text[self._at : self._at + 1] in ("'", '"'):
            value = self._quoted()
            if self._line().strip(" "):
                raise self.refusal()
            self._end_line()
            return value
        parts: list[str] = []
        while not parts or (not self.at_end() and self._indent() > indent):
            part = self._line().strip(" ")
            if (not parts and _NO_PLAIN.match(part)) or _NOT_WITHIN.search(part):
                raise self.refusal()
            parts.append(part)
            self._end_line()
        return _plain(" ".join(parts))

    def _quoted(self) -> str:
        single = self._text[self._at] == "'"
        match = (_SINGLE if single else _DOUBLE).match(self._text, self._at)
        if match is None:
            raise self.refusal()
        try:
            text = _folded(match[1]).replace("''", "'") if single else _unescaped(match[1])
        except (KeyError, ValueError) as error:
            raise self.refusal() from error
        self._at = match.end()
        return text

    def _skip(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _indent(self) -> int:
        line = self._line()
        return len(line) - len(line.lstrip(" "))

    def _is_item(self, indent: int) -> bool:
        line = self._line()[indent:]
        return line.startswith("- ") or line == "-"

    def _line(self) -> str:
        """From here to the end of the line."""
        match = _LINE.match(self._text, self._at)
        return match[0] if match else ""

    def _end_line(self) -> None:
        self._at = min(self._at + len(self._line()) + 1, len(self._text))


def _folded(text: str) -> str:
    """Lines as one text: a break is a space, and n empty lines between two are n breaks."""
    first, *lines = text.split("\n")
    if not lines:
        return text
    whole, empty = first.rstrip(" "), 0
    for line in lines[:-1]:
        if line.strip(" "):
            whole += ("\n" * empty or " ") + line.strip(" ")
            empty = 0
        else:
            empty += 1
    return whole + ("\n" * empty or " ") + lines[-1].lstrip(" ")


def _unescaped(text: str) -> str:
    """A double-quoted text: a backslash before a break joins two lines."""
    pieces, place = [], 0
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\\n *", r"\1", text)
    text = _folded(text)
    for escape in _ESCAPE.finditer(text):
        code = escape[1]
        pieces.append(text[place : escape.start()])
        pieces.append(chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES[code])
        place = escape.end()
    return "".join([*pieces, text[place:]])


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    return float(text) if _REAL.fullmatch(text) else text
