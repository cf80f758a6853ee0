"""What can be asked about runs, experiments and logged models, and the form in which an index answers it."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import NAME_TAG, USER_TAG
from trimtab.atoms.run_query import Comparison, Field, Order, Query

TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT-IN")
NUMBER_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
NULL_OPERATORS = ("IS-NULL", "IS-NOT-NULL")
#: A question holds no more than these.
MOST_COMPARISONS, MOST_ORDERS, MOST_ITEMS, MOST_PATTERN_BYTES = 30, 10, 50_000, 1_000


class Searchable(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes of one kind of things, and the fields besides."""

    #: As people call them, in the plural.
    things: str
    texts: frozenset[str]
    #: Moments in milliseconds since 1970, UTC, and other numbers.
    numbers: frozenset[str]
    #: Other names of attributes.
    aliases: Mapping[str, str] = MappingProxyType({})
    #: Attributes that are tags.
    tags: Mapping[str, str] = MappingProxyType({})
    fields: frozenset[Field] = frozenset(Field)
    #: What can be asked about a dataset.
    datasets: tuple[str, ...] = ("name", "digest", "context")

    @property
    def attributes(self) -> frozenset[str]:
        """Every name that an attribute may be asked for by."""
        return self.texts | self.numbers | self.aliases.keys() | self.tags.keys()


RUNS = Searchable(
    things="runs",
    texts=frozenset({"run_id", "status", "experiment_id", "artifact_uri", "by", "stage"}),
    numbers=frozenset({"start_time", "end_time"}),
    aliases=MappingProxyType(
        {"created": "start_time", "Created": "start_time", "experiment": "experiment_id"}
    ),
    tags=MappingProxyType(
        {
            "run_name": NAME_TAG,
            "run name": NAME_TAG,
            "Run name": NAME_TAG,
            "Run Name": NAME_TAG,
            "user_id": USER_TAG,
        }
    ),
)
EXPERIMENTS = Searchable(
    things="experiments",
    texts=frozenset({"name", "experiment_id"}),
    numbers=frozenset({"creation_time", "last_update_time"}),
    fields=frozenset({Field.ATTRIBUTE, Field.TAG}),
)
LOGGED_MODELS = Searchable(
    things="logged models",
    texts=frozenset({"name", "model_id", "model_type", "status", "source_run_id", "experiment_id"}),
    numbers=frozenset({"creation_timestamp", "last_updated_timestamp"}),
    aliases=MappingProxyType(
        {
            "creation_time": "creation_timestamp",
            "last_updated_time": "last_updated_timestamp",
            "experiment": "experiment_id",
        }
    ),
    datasets=("name", "digest"),
)


def settled(query: Query, searchable: Searchable) -> Query:
    """The same question with every attribute under its own name, and every number a float.

    Raises:
        UsageError: It cannot be answered: the message names the place and the rule.
    """
    if not 1 <= query.limit <= MOST_ITEMS:
        raise UsageError(f"a page of {query.limit} {searchable.things}: ask for 1 to {MOST_ITEMS}")
    if len(query.where) > MOST_COMPARISONS:
        raise UsageError(f"{len(query.where)} conditions: a question holds up to {MOST_COMPARISONS}")
    if len(query.order) > MOST_ORDERS:
        raise UsageError(f"{len(query.order)} keys to order by: a question holds up to {MOST_ORDERS}")
    where = tuple(_comparison(each, searchable) for each in query.where)
    order = tuple(_order(each, searchable) for each in query.order)
    for place, each in enumerate(order):
        if (each.field, each.key) in {(other.field, other.key) for other in order[:place]}:
            raise UsageError(f"{_place(query.order[place])} is there twice in the order: name it once")
    return msgspec.structs.replace(query, where=where, order=order)


def _comparison(asked: Comparison, searchable: Searchable) -> Comparison:
    field, key = _named(asked, searchable)
    number = field is Field.METRIC or (field is Field.ATTRIBUTE and key in searchable.numbers)
    nulls = () if field is Field.DATASET else NULL_OPERATORS
    allowed = (*(NUMBER_OPERATORS if number else TEXT_OPERATORS), *nulls)
    if asked.operator not in allowed:
        raise UsageError(f"{_place(asked)} cannot be asked with {asked.operator!r}: {', '.join(allowed)} can")
    value = asked.value
    if asked.operator in NULL_OPERATORS:
        value = None
    elif number:
        value = _number(asked)
    elif asked.operator in ("IN", "NOT-IN"):
        if not isinstance(value, tuple) or not value or not all(isinstance(each, str) for each in value):
            raise UsageError(f"{_place(asked)} {asked.operator}: give a list of one text or more")
    elif not isinstance(value, str):
        raise UsageError(f"{_place(asked)} {asked.operator}: give a text, in quotes, not {value!r:.60}")
    elif asked.operator in ("LIKE", "ILIKE") and len(value.encode(errors="replace")) > MOST_PATTERN_BYTES:
        raise UsageError(
            f"{_place(asked)} {asked.operator}: the pattern is over {MOST_PATTERN_BYTES} bytes long"
        )
    return Comparison(field=field, key=key, operator=asked.operator, value=value)


def _number(asked: Comparison) -> float:
    value = asked.value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        moment = asked.field is Field.ATTRIBUTE
        kind = "milliseconds since 1970" if moment else "a number"
        raise UsageError(f"{_place(asked)} {asked.operator}: give {kind}, not {value!r:.60}")
    try:
        return float(value)
    except OverflowError as error:
        raise UsageError(f"{_place(asked)} {asked.operator}: the number is too large") from error


def _order(asked: Order, searchable: Searchable) -> Order:
    field, key = _named(asked, searchable)
    if field is Field.DATASET:
        raise UsageError(
            f"{searchable.things} cannot be ordered by {_place(asked)}: a run may have read many"
        )
    return Order(field=field, key=key, ascending=asked.ascending)


def _named(asked: Comparison | Order, searchable: Searchable) -> tuple[Field, str]:
    """The field and the key under which it is found."""
    if asked.field not in searchable.fields:
        known = ", ".join(sorted(searchable.fields))
        raise UsageError(f"{searchable.things} cannot be asked for {_place(asked)}: {known} can")
    key = asked.key
    if asked.field is Field.DATASET and key not in searchable.datasets:
        raise UsageError(
            f"{_place(asked)} is not known: of a dataset there are {', '.join(searchable.datasets)}"
        )
    if asked.field is not Field.ATTRIBUTE:
        return asked.field, key
    if key in searchable.tags:
        return Field.TAG, searchable.tags[key]
    key = searchable.aliases.get(key, key)
    if key not in searchable.texts and key not in searchable.numbers:
        names = searchable.texts | searchable.numbers | searchable.tags.keys()
        known = ", ".join(sorted(name for name in names if name.isidentifier() and name.islower()))
        logged = [_WORDS[each] for each in _LOGGED if each in searchable.fields]
        raise UsageError(
            f"{_place(asked)} is not known: of {searchable.things} there are {known}; what was logged is "
            + " or ".join(f"{word}.{asked.key[:80]}" for word in logged)
        )
    return asked.field, key


#: How people say a field before a key.
_WORDS = {
    Field.METRIC: "metrics",
    Field.PARAMETER: "params",
    Field.TAG: "tags",
    Field.ATTRIBUTE: "attributes",
    Field.DATASET: "datasets",
}
#: What is logged under names of people's own.
_LOGGED = (Field.METRIC, Field.PARAMETER, Field.TAG)


def _place(asked: Comparison | Order) -> str:
    return f"{_WORDS[asked.field]}.{asked.key[:80]}"
