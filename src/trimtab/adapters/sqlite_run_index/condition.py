"""Conditions of a question as SQL: closed tables, and every value of the question bound."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trimtab.adapters.sqlite_run_index.number import name_number
from trimtab.atoms.run_query import Comparison, Field

#: The column of each attribute; `t` is the table of the things.
COLUMNS = {
    "run": {
        "run_id": "t.id",
        "status": "t.status",
        "start_time": "t.started_ms",
        "end_time": "t.ended_ms",
        "experiment_id": "t.experiment",
        "artifact_uri": "('mlflow-artifacts:/' || t.experiment || '/' || t.id || '/artifacts')",
        "by": "t.decided_by",
        "stage": "t.stage",
    },
    "experiment": {
        "name": "t.name",
        "experiment_id": "t.id",
        "creation_time": "t.created_ms",
        "last_update_time": "t.updated_ms",
    },
    "model": {
        "name": "t.name",
        "model_id": "t.id",
        "model_type": "t.type",
        "status": "t.status",
        "source_run_id": "t.run",
        "experiment_id": "t.experiment",
        "creation_timestamp": "t.created_ms",
        "last_updated_timestamp": "t.updated_ms",
    },
}
#: Where a key of a field has its value, at most one for each thing.
VALUES = {Field.METRIC: "last_value", Field.PARAMETER: "parameter", Field.TAG: "tag"}
_COMPARED = {
    "=": "{} = ?",
    "!=": "{} <> ?",
    "<": "{} < ?",
    "<=": "{} <= ?",
    ">": "{} > ?",
    ">=": "{} >= ?",
    "LIKE": "{} LIKE ?",
    "ILIKE": "folded({}) LIKE ?",
    "IN": "{} IN (SELECT value FROM json_each(?))",
    "NOT-IN": "{} NOT IN (SELECT value FROM json_each(?))",
}


@dataclass(slots=True)
class Clauses:
    """Pieces of a statement with what is bound in them."""

    joins: list[str] = field(default_factory=list)
    joined: list[Any] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    bound: list[Any] = field(default_factory=list)


def add_condition(clauses: Clauses, connection: sqlite3.Connection, table: str, asked: Comparison) -> None:
    """Add one condition of a settled question about runs or experiments; of models' metrics and data see elsewhere."""
    if asked.field is Field.ATTRIBUTE:
        _add_attribute(clauses, table, asked)
    elif asked.field is Field.DATASET:
        sql, value = compared(f"d.{asked.key}", asked)
        clauses.wheres.append(f"EXISTS (SELECT 1 FROM dataset d WHERE d.owner = t.n AND {sql})")
        clauses.bound.append(value)
    else:
        _add_value(clauses, name_number(connection, asked.key), asked)


def compared(column: str, asked: Comparison) -> tuple[str, Any]:
    """A comparison of a column, and what is bound in it."""
    value: Any = asked.value
    if asked.operator in ("IN", "NOT-IN"):
        value = msgspec.json.encode(value).decode()
    elif asked.operator == "ILIKE":
        value = value.lower()
    sql = _COMPARED[asked.operator].format(column)
    # NaN is NULL in a row, and no number is it.
    return (f"({sql} OR {column} IS NULL)" if _is_not_number(asked) else sql), value


def _is_not_number(asked: Comparison) -> bool:
    return asked.field is Field.METRIC and asked.operator == "!="


def _add_attribute(clauses: Clauses, table: str, asked: Comparison) -> None:
    column = COLUMNS[table][asked.key]
    if asked.operator == "IS-NULL":
        clauses.wheres.append(f"{column} IS NULL")
    elif asked.operator == "IS-NOT-NULL":
        clauses.wheres.append(f"{column} IS NOT NULL")
    else:
        sql, value = compared(column, asked)
        clauses.wheres.append(sql)
        clauses.bound.append(value)


def _add_value(clauses: Clauses, name: int, asked: Comparison) -> None:
    values = VALUES[asked.field]
    if asked.operator == "IS-NULL":
        clauses.wheres.append(f"NOT EXISTS (SELECT 1 FROM {values} v WHERE v.name = ? AND v.owner = t.n)")
        clauses.bound.append(name)
        return
    alias = f"c{len(clauses.joins)}"
    clauses.joins.append(f"JOIN {values} {alias} ON {alias}.name = ? AND {alias}.owner = t.n")
    clauses.joined.append(name)
    if asked.operator != "IS-NOT-NULL":
        sql, value = compared(f"{alias}.value", asked)
        clauses.wheres.append(sql)
        clauses.bound.append(value)
