"""Metrics of logged models in a question: a model has several of one name, by the run and the data it was measured on.

A condition on a metric holds where one of them fulfils it; where the question names data, only those measured on it
count. The order goes by the newest of them.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from trimtab.adapters.sqlite_run_index.condition import Clauses, compared
from trimtab.adapters.sqlite_run_index.number import name_number
from trimtab.atoms.run_query import Comparison, Field

_DATA = {"name": "m.dataset", "digest": "m.digest"}


def add_measured(clauses: Clauses, connection: sqlite3.Connection, where: Sequence[Comparison]) -> None:
    """Add all conditions on metrics and on data."""
    data, data_bound = _data(where)
    metrics = [each for each in where if each.field is Field.METRIC]
    for each in metrics:
        name = name_number(connection, each.key)
        if each.operator in ("IS-NULL", "IS-NOT-NULL"):
            sql, bound = "1", []
        else:
            sql, value = compared("m.value", each)
            bound = [value]
        found = f"EXISTS (SELECT 1 FROM model_value m WHERE m.name = ? AND m.owner = t.n AND {sql}{data})"
        clauses.wheres.append(f"NOT {found}" if each.operator == "IS-NULL" else found)
        clauses.bound += [name, *bound, *data_bound]
    if data:
        clauses.wheres.append(f"t.n IN (SELECT m.owner FROM model_value m WHERE 1{data})")
        clauses.bound += data_bound


def measured_order(name: int, where: Sequence[Comparison]) -> tuple[str, str, list[Any]]:
    """Rank and value of a model by a metric, and what is bound in both."""
    data, data_bound = _data(where)
    rows = f"FROM model_value m WHERE m.name = ? AND m.owner = t.n{data}"
    newest = f"(SELECT m.value {rows} ORDER BY m.at_us DESC, m.step DESC, m.run, m.dataset, m.digest LIMIT 1)"
    rank = f"CASE WHEN NOT EXISTS (SELECT 1 {rows}) THEN 2 WHEN {newest} IS NULL THEN 1 ELSE 0 END"
    bound = [name, *data_bound]
    return rank, newest, [*bound, *bound, *bound]


def _data(where: Sequence[Comparison]) -> tuple[str, list[Any]]:
    sql, bound = "", []
    for each in where:
        if each.field is Field.DATASET:
            condition, value = compared(_DATA[each.key], each)
            sql += f" AND {condition}"
            bound.append(value)
    return sql, bound
