"""Filters and orders in words: what MLflow takes is taken and means the same, what is wrong is named."""

import random
import re
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import (
    SearchExperimentsUtils,
    SearchModelUtils,
    SearchModelVersionUtils,
    SearchUtils,
)

from trimtab.atoms.error import UsageError
from trimtab.atoms.run_query import Comparison, Field, Order
from trimtab.tracking.filter import Subject, parse_filter, parse_order

ORACLES: dict[Subject, Any] = {
    "runs": SearchUtils,
    "experiments": SearchExperimentsUtils,
    "registered models": SearchModelUtils,
    "model versions": SearchModelVersionUtils,
}
#: What is taken here and not by MLflow.
MORE = ("1.", "1e+5", "+1")
#: Pieces of filters, right and wrong ones.
NAMES = [
    "metrics.a", "metric.`train loss`", 'metrics."x/y"', "params.a", "parameter.a_b", "param.`a b`", "tags.a.b",
    'tags."mlflow.user"', "tag.`mlflow.user`", "attributes.status", "attribute.run_id", "attr.start_time",
    "run.end_time", "status", "run_id", "start_time", "created", "run_name", "attribute.`Run name`", "user_id",
    "artifact_uri", "dataset.name", "datasets.digest", "dataset.context", "dataset.schema", "name",
    "creation_time", "last_update_time", "attribute.name", "version_number", "source_path", "nothing", "foo.a",
    "attribute.nothing", "metrics", "`metrics`.a",
]  # fmt: skip
#: Names that fit these things.
FITTING: dict[Subject, list[str]] = {
    "runs": NAMES,
    "experiments": [
        "name",
        "attribute.name",
        "experiment_id",
        "creation_time",
        "last_update_time",
        "tags.a",
        "tag.`b`",
    ],
    "registered models": ["name", "attribute.name", "tags.a", "tag.`a b`"],
    "model versions": [
        "name",
        "run_id",
        "source_path",
        "version_number",
        "attribute.run_id",
        "tags.a",
        'tag."a b"',
    ],
}
OPERATORS = [
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "LIKE",
    "like",
    "ILIKE",
    "ilike",
    "IN",
    "NOT IN",
    "not in",
    "==",
    "<>",
    "",
]
VALUES = [
    "1", "-1", "0.5", "-.5", "1e5", "1.5E-3", "'x'", '"x"', "'%x_'", "'a\"b'", "''", "x", "`x`", "1x", "0x1",
    "('a')", "('a', 'b')", '("a",\'b\',)', "()", "(1)", "NULL", "'x", "1 2", "", *MORE,
]  # fmt: skip
NULLS = ["IS NULL", "is not null", "IS NOT", "NULL"]
JOINS = [" AND ", " and ", "\n AND\t", " OR ", " ", ", ", ";"]


def oracle(text: str, of: Subject) -> list[tuple[str, str, str, Any]] | None:
    """What MLflow makes of a filter: by what its parser gives, and by what its comparisons let pass; None: refused."""
    utils = ORACLES[of]
    try:
        found = []
        for each in utils.parse_search_filter(text):
            kind, key, operator = each["type"], each["key"], each["comparator"].upper()
            if not (
                utils.is_metric(kind, operator)
                or utils.is_param(kind, operator)
                or utils.is_tag(kind, operator)
                or utils.is_string_attribute(kind, key, operator)
                or utils.is_numeric_attribute(kind, key, operator)
                or utils.is_dataset(kind, operator)
            ):
                return None
            value = each["value"]
            number = kind == "metric" or key in utils.NUMERIC_ATTRIBUTES
            if number and kind != "tag" and kind != "parameter":
                value = float(value)
            elif operator in ("IN", "NOT IN") and not isinstance(value, tuple):
                return None  # it is taken, and compared letter by letter
            elif isinstance(value, tuple) and operator not in ("IN", "NOT IN"):
                return None  # it is taken, and fails in the database
            found.append((kind, key, operator.replace(" ", "-"), value))
    except (MlflowException, ValueError, IndexError):
        return None
    return found


#: Other names of the same.
SAME = {
    ("attribute", "created"): ("attribute", "start_time"),
    ("attribute", "run_name"): ("tag", "mlflow.runName"),
    ("attribute", "Run name"): ("tag", "mlflow.runName"),
    ("attribute", "user_id"): ("tag", "mlflow.user"),
}


def ours(text: str, of: Subject) -> list[tuple[str, str, str, Any]] | None:
    """The same of this parser."""
    try:
        found = parse_filter(text, of)
    except UsageError:
        return None
    return [(each.field.value, each.key, each.operator, each.value) for each in found]


def made(dice: random.Random, of: Subject) -> str:
    """A filter, which may be wrong."""
    conditions = []
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        name = dice.choice(NAMES if dice.random() < 0.3 else FITTING[of])
        if dice.random() < 0.1:
            conditions.append(f"{name} {dice.choice(NULLS)}")
        else:
            space = dice.choice([" ", " ", "  ", ""])
            conditions.append(f"{name}{space}{dice.choice(OPERATORS)}{space}{dice.choice(VALUES)}")
    text = conditions[0]
    for condition in conditions[1:]:
        text += (dice.choice(JOINS[:3]) if dice.random() < 0.8 else dice.choice(JOINS)) + condition
    return text


@pytest.mark.parametrize("of", list(ORACLES))
def test_what_mlflow_takes_means_the_same(of: Subject) -> None:
    """Of some thousand filters, by parts that fit and parts that do not."""
    dice = random.Random(7)
    taken = 0
    for _ in range(3000):
        text = made(dice, of)
        theirs = oracle(text, of)
        if theirs is None:
            continue
        taken += 1
        same = [
            (*SAME.get((kind, key), (kind, key)), operator, value) for kind, key, operator, value in theirs
        ]
        assert ours(text, of) == same, text
    assert taken > 40


def allowed_beyond(text: str, of: Subject) -> bool:
    """Whether a filter has in it what is taken here alone."""
    if of != "runs" and re.search(r"\b(attributes|attr|run)\.", text):
        return True
    if of == "experiments" and "experiment_id" in text:
        return True
    lists = re.search(r"\bIN\b", text.upper()) is not None
    return lists or "NULL" in text.upper() or any(more in text for more in MORE) or "x/y" in text


@pytest.mark.parametrize("of", list(ORACLES))
def test_what_mlflow_refuses_is_refused(of: Subject) -> None:
    """But for what the module's own words promise besides."""
    dice = random.Random(8)
    refused = 0
    for _ in range(3000):
        text = made(dice, of)
        if oracle(text, of) is None and not allowed_beyond(text, of):
            refused += 1
            found = ours(text, of)
            assert found is None, f"{text!r} is read as {found}"
    assert refused > 1000


def test_the_examples_of_the_documentation() -> None:
    text = (
        "metrics.rmse < 1 and params.\"model type\" = 'tree' AND tags.`mlflow.user` LIKE '%x%' "
        "AND attributes.status IN ('FINISHED', 'FAILED') AND dataset.name = 'd' AND start_time > 1700000000000 "
        "AND tags.best IS NOT NULL AND metrics.train/loss >= -1.5e-3"
    )
    assert [(each.field, each.key, each.operator, each.value) for each in parse_filter(text)] == [
        (Field.METRIC, "rmse", "<", 1.0),
        (Field.PARAMETER, "model type", "=", "tree"),
        (Field.TAG, "mlflow.user", "LIKE", "%x%"),
        (Field.ATTRIBUTE, "status", "IN", ("FINISHED", "FAILED")),
        (Field.DATASET, "name", "=", "d"),
        (Field.ATTRIBUTE, "start_time", ">", 1700000000000.0),
        (Field.TAG, "best", "IS-NOT-NULL", None),
        (Field.METRIC, "train/loss", ">=", -0.0015),
    ]


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_nothing_is_no_condition(text: str) -> None:
    assert parse_filter(text) == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tags.a = 'it''s'", "it's"),
        (r"tags.a = 'it\'s'", "it's"),
        ('tags.a = "say ""x"""', 'say "x"'),
        (r"tags.a = 'C:\dir'", r"C:\dir"),
        ("tags.a = ' AND '", " AND "),
        ("tags.a = 'ä\n日本'", "ä\n日本"),
    ],
)
def test_texts(text: str, value: str) -> None:
    assert parse_filter(text) == (Comparison(field=Field.TAG, key="a", operator="=", value=value),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics.a < 1 OR metrics.b > 2", r"character 15.*'OR metrics.b > 2'.*AND"),
        ("metrics.a <", r"at its end: expected a number, or a text"),
        ("params.a = b", r"character 12, at 'b'"),
        ("params.a = 1", r"params\.a =: give a text, in quotes, not 1"),
        ("metrics.a = '1'", r"metrics\.a =: give a number, not '1'"),
        ("metrics.a LIKE 1", r"metrics\.a cannot be asked with 'LIKE'"),
        ("foo.a = 1", r"character 1.*before the point is one of metric, metrics"),
        ("tags.`a = 'x'", r"character 5.*begins with ` here does not end"),
        ("tags.a = 'x", r"character 10.*begins with ' here does not end"),
        ("tags.a = 'x' AND", r"at its end: expected a key"),
        ("tags.a ! 'x'", r"character 8.*'!' stands for nothing"),
        ("tags.a IN 'x'", r"expected a list of texts such as"),
        ("tags.a IN ('x'", r"at its end: a list goes on"),
        ("tags.a IN ()", r"character 12.*expected a text in quotes"),
        ("dataset.schema = 'x'", r"of a dataset there are name, digest, context"),
        ("nothing = 'x'", r"attributes\.nothing is not known: of runs there are artifact_uri, by, end_time"),
        ("loss < 3", r"what was logged is metrics\.loss or params\.loss or tags\.loss"),
        ("start_time > 'today'", r"attributes\.start_time >: give milliseconds since 1970, not 'today'"),
        ("a = 'x' AND " + "y" * 500 + " = 'z'", r"attributes\.a is not known"),
        (" AND ".join(["metrics.a < 1"] * 31), r"31 conditions: .* up to 30"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_filter(text)
    assert len(str(caught.value)) < 600


def test_a_long_filter_is_read_in_no_time() -> None:
    """No text makes the reading slow: each character is looked at a few times at most."""
    for piece in ("'", "''", "`", "a.", "1", "1e", "(", "\\'", " ", "<", "tags.a IN ('", '"\\"'):
        with pytest.raises(UsageError):
            parse_filter("metrics.a < 1 AND " + piece * 50_000 + " ?")


@pytest.mark.parametrize(
    ("clause", "field", "key", "ascending"),
    [
        ("metrics.acc DESC", Field.METRIC, "acc", False),
        ("metrics.`train loss` asc", Field.METRIC, "train loss", True),
        ('params."a b"', Field.PARAMETER, "a b", True),
        (" attributes.start_time   desc ", Field.ATTRIBUTE, "start_time", False),
        ("start_time", Field.ATTRIBUTE, "start_time", True),
        ("attribute.run_name", Field.TAG, "mlflow.runName", True),
        ("tags.mlflow.user ASC", Field.TAG, "mlflow.user", True),
    ],
)
def test_orders(clause: str, field: Field, key: str, ascending: bool) -> None:
    assert parse_order([clause]) == (Order(field=field, key=key, ascending=ascending),)
    kind, name, up = SearchUtils.parse_order_by_for_search_runs(clause.strip())
    assert (*SAME.get((kind, name), (kind, name)), up) == (field.value, key, ascending)


@pytest.mark.parametrize(
    "clause",
    [
        "metrics.acc foo",
        "metrics.acc DESC ASC",
        "",
        "dataset.name",
        "foo.a",
        "nothing",
        "metrics.a, metrics.b",
    ],
)
def test_orders_that_are_wrong(clause: str) -> None:
    with pytest.raises(UsageError):
        parse_order([clause])


def test_orders_of_other_things() -> None:
    assert parse_order(["last_update_time DESC"], "experiments")[0].key == "last_update_time"
    assert parse_order(["metrics.acc"], "models")[0].field is Field.METRIC
    assert parse_order(["timestamp DESC"], "registered models")[0].key == "last_updated_timestamp"
    assert parse_order(["version_number"], "model versions")[0].key == "version_number"
    with pytest.raises(UsageError, match="twice"):
        parse_order(["start_time", "attributes.start_time DESC"])
