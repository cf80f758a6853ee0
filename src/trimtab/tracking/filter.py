"""Filters and orders in words, as MLflow's users write them.

    metrics.rmse < 1 and params."model type" = 'tree' AND tags.`mlflow.user` LIKE '%x%'
    attributes.status IN ('FINISHED', 'FAILED') AND dataset.name = 'd' AND start_time > 1700000000000
    tags.best IS NOT NULL

Conditions are joined by AND, in any case. A key with other characters than letters, digits and `_ . / -` stands in
backticks or quotes. A text stands in quotes of either kind; the same quote within it is written twice, or after a
backslash. Everything that MLflow takes is taken, and means the same, but for a doubled quote, which it takes for two;
besides, lists are for every text, NULL is for every field but dataset, and numbers may be written as `1.` and `1e+5`.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from trimtab.atoms.error import UsageError
from trimtab.atoms.run_query import Comparison, Field, Order, Query
from trimtab.atoms.searchable import EXPERIMENTS, LOGGED_MODELS, RUNS, Searchable, settled

#: What is asked about.
Subject = Literal["runs", "experiments", "models", "registered models", "model versions"]

_REGISTERED = frozenset({Field.ATTRIBUTE, Field.TAG})
_SUBJECTS: dict[Subject, Searchable] = {
    "runs": RUNS,
    "experiments": EXPERIMENTS,
    "models": LOGGED_MODELS,
    "registered models": Searchable(
        things="registered models",
        texts=frozenset({"name"}),
        numbers=frozenset({"creation_timestamp", "last_updated_timestamp"}),
        aliases={"timestamp": "last_updated_timestamp"},
        fields=_REGISTERED,
    ),
    "model versions": Searchable(
        things="model versions",
        texts=frozenset({"name", "run_id", "source_path"}),
        numbers=frozenset({"version_number", "creation_timestamp", "last_updated_timestamp"}),
        fields=_REGISTERED,
    ),
}
_FIELDS = {
    Field.METRIC: ("metric", "metrics"),
    Field.PARAMETER: ("parameter", "parameters", "param", "params"),
    Field.TAG: ("tag", "tags"),
    Field.ATTRIBUTE: ("attribute", "attributes", "attr", "run"),
    Field.DATASET: ("dataset", "datasets"),
}
_FIELD_OF = {name: field for field, names in _FIELDS.items() for name in names}

_QUOTED = r"""'(?:''|\\'|[^'])*'|"(?:""|\\"|[^"])*" """.strip()
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<key>(?:`\w+`|\w+)(?:\.(?:`[^`]*`|{_QUOTED}|[\w./-]+))?|`[^`]*`)
    |(?P<text>{_QUOTED})
    |(?P<operator><=|>=|!=|=|<|>)
    |(?P<mark>[(),])
    """,
    re.VERBOSE,
)
_WORDS = {"and", "or", "not", "in", "is", "null", "like", "ilike", "asc", "desc"}
#: Shown of what was written.
_SHOWN = 40


class _Token(NamedTuple):
    kind: str
    text: str
    #: Place of its first character, from 1.
    place: int


def parse_filter(text: str, of: Subject = "runs") -> tuple[Comparison, ...]:
    """The conditions of a filter; none where it is empty. Attributes are there under their own names.

    Raises:
        UsageError: It cannot be read or not be answered: the message names the place and the rule.
    """
    reader = _Reader("filter", text)
    found: list[Comparison] = []
    while reader.next.kind != "end":
        if found:
            reader.take_word("AND")
        found.append(_condition(reader))
    return settled(Query(where=tuple(found)), _SUBJECTS[of]).where


def parse_order(clauses: Sequence[str], of: Subject = "runs") -> tuple[Order, ...]:
    """The keys of an order, each written as `metrics.acc DESC`; ascending where nothing is said.

    Raises:
        UsageError: As `parse_filter`.
    """
    found = []
    for clause in clauses:
        reader = _Reader("order", clause)
        field, key = _name(reader)
        direction = reader.word()
        if direction in ("asc", "desc"):
            reader.take()
        if reader.next.kind != "end":
            raise reader.refusal("after the key comes ASC, DESC or nothing")
        found.append(Order(field=field, key=key, ascending=direction != "desc"))
    return settled(Query(order=tuple(found)), _SUBJECTS[of]).order


class _Reader:
    """Goes over the tokens of a text."""

    def __init__(self, what: str, text: str) -> None:
        self._what, self._text = what, text
        self._tokens = self._split()
        self._at = 0

    @property
    def next(self) -> _Token:
        """The token that comes next; of kind `end` after the last one."""
        return self._tokens[self._at]

    def take(self) -> _Token:
        """The next token, which is then behind."""
        token = self.next
        self._at += token.kind != "end"
        return token

    def word(self) -> str:
        """The next token in lower case where it is a word of the grammar, else nothing."""
        lower = self.next.text.lower()
        return lower if self.next.kind == "key" and lower in _WORDS else ""

    def take_word(self, word: str) -> None:
        """Take this word; refused where something else stands there."""
        if self.word() != word.lower():
            raise self.refusal(
                f"expected {word}; conditions are joined by AND alone"
                if word == "AND"
                else f"expected {word}"
            )
        self.take()

    def refusal(self, rule: str, token: _Token | None = None) -> UsageError:
        """What is raised: it names the place and the rule."""
        token = token or self.next
        if token.kind == "end":
            return UsageError(f"{self._what} {self._shown(0)}: at its end: {rule}")
        return UsageError(f"{self._what}, character {token.place}, at {self._shown(token.place - 1)}: {rule}")

    def _split(self) -> list[_Token]:
        tokens, position = [], 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise self.refusal(_unreadable(self._text[position:]), _Token("?", "", position + 1))
            assert match.lastgroup is not None
            if match.lastgroup != "space":
                tokens.append(_Token(match.lastgroup, match[0], position + 1))
            position = match.end()
        return [*tokens, _Token("end", "", len(self._text) + 1)]

    def _shown(self, position: int) -> str:
        rest = self._text[position : position + _SHOWN]
        return repr(rest + ("..." if position + _SHOWN < len(self._text) else ""))


def _condition(reader: _Reader) -> Comparison:
    field, key = _name(reader)
    operator = _operator(reader)
    if operator in ("IS-NULL", "IS-NOT-NULL"):
        return Comparison(field=field, key=key, operator=operator)
    if operator in ("IN", "NOT-IN"):
        return Comparison(field=field, key=key, operator=operator, value=_list(reader))
    token = reader.next
    if token.kind == "number":
        return Comparison(field=field, key=key, operator=operator, value=float(reader.take().text))
    return Comparison(
        field=field, key=key, operator=operator, value=_text(reader, "a number, or a text in quotes")
    )


def _name(reader: _Reader) -> tuple[Field, str]:
    """The field and key that a condition or an order begins with."""
    token = reader.next
    if token.kind != "key" or token.text.lower() in _WORDS:
        raise reader.refusal("expected a key such as metrics.rmse, params.`learning rate` or start_time")
    reader.take()
    first, dot, rest = token.text.partition(".")
    if token.text.startswith("`") and not token.text.startswith("`" + first.strip("`") + "`."):
        first, dot, rest = token.text, "", ""
    if not dot:
        return Field.ATTRIBUTE, _bare(first)
    field = _FIELD_OF.get(first.strip("`"))
    if field is None:
        raise reader.refusal("what stands before the point is one of " + ", ".join(_FIELD_OF), token)
    return field, _bare(rest)


def _operator(reader: _Reader) -> str:
    if reader.next.kind == "operator":
        return reader.take().text
    word = reader.word()
    if word in ("like", "ilike", "in"):
        return reader.take().text.upper()
    if word == "not":
        reader.take()
        reader.take_word("IN")
        return "NOT-IN"
    if word == "is":
        reader.take()
        negated = reader.word() == "not"
        if negated:
            reader.take()
        reader.take_word("NULL")
        return "IS-NOT-NULL" if negated else "IS-NULL"
    raise reader.refusal("expected one of = != < <= > >= LIKE ILIKE IN, NOT IN, IS NULL, IS NOT NULL")


def _list(reader: _Reader) -> tuple[str, ...]:
    """Texts in parentheses; a comma may stand after the last one."""
    texts: list[str] = []
    if reader.take().text != "(":
        raise reader.refusal("expected a list of texts such as ('a', 'b')")
    while True:
        texts.append(_text(reader, "a text in quotes"))
        mark = reader.take()
        if mark.text == "," and reader.next.text == ")":
            mark = reader.take()
        if mark.text == ")":
            return tuple(texts)
        if mark.text != ",":
            raise reader.refusal("a list goes on with a comma and ends with )", mark)


def _text(reader: _Reader, expected: str) -> str:
    if reader.next.kind != "text":
        raise reader.refusal(f"expected {expected}")
    return _unquoted(reader.take().text)


def _bare(key: str) -> str:
    """A key without the quotes or backticks around it."""
    if key.startswith("`"):
        return key[1:-1]
    return _unquoted(key) if key.startswith(("'", '"')) else key


def _unquoted(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(f"\\{quote}", quote).replace(quote * 2, quote)


def _unreadable(rest: str) -> str:
    quote = rest.removeprefix(".")[:1]
    if quote in ("'", '"', "`"):
        return f"what begins with {quote} here does not end"
    return f"{rest[:1]!r} stands for nothing here; a key with other characters than letters goes in backticks"
