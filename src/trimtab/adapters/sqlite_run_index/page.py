"""A page of things: filtered, ordered and cut in SQL; then only their cards are read.

Pages go by key: a token holds where the last thing of a page stands in the order, so that the next page begins after
it whatever came or went meanwhile.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from trimtab.adapters.sqlite_run_index.card import Stored
from trimtab.adapters.sqlite_run_index.condition import COLUMNS, VALUES, Clauses, add_condition
from trimtab.adapters.sqlite_run_index.model_metric import add_measured, measured_order
from trimtab.adapters.sqlite_run_index.number import name_number, owner_number
from trimtab.adapters.sqlite_run_index.page_token import token_keys, token_of
from trimtab.adapters.sqlite_run_index.schema import Kind
from trimtab.atoms.run_query import Deleted, Field, Item, Order, Page, Query
from trimtab.atoms.searchable import EXPERIMENTS, LOGGED_MODELS, RUNS, Searchable, settled

_TABLES = {RUNS.things: "run", EXPERIMENTS.things: "experiment", LOGGED_MODELS.things: "model"}
_MOMENTS = {"run": "t.started_ms", "experiment": "t.created_ms", "model": "t.created_ms"}
_EXPERIMENT = {"run": "t.experiment", "experiment": "t.id", "model": "t.experiment"}
_CARD = "SELECT head, logged, metrics FROM card WHERE owner = ?"

Result = TypeVar("Result")


def find_card(connection: sqlite3.Connection, kind: Kind, id: str) -> Stored | None:
    """The card of the thing with this id."""
    owner = owner_number(connection, kind, id)
    if owner is None:
        return None
    stored: Stored | None = connection.execute(_CARD, (owner,)).fetchone()
    return stored


def found_count(connection: sqlite3.Connection, searchable: Searchable, query: Query) -> int:
    """How many things all the pages of a query hold."""
    query = settled(query, searchable)
    table = _TABLES[searchable.things]
    clauses = _clauses(connection, table, query)
    statement = (
        f"SELECT count(*) FROM {table} t {' '.join(clauses.joins)} WHERE {' AND '.join(clauses.wheres)}"
    )
    (count,) = connection.execute(statement, [*clauses.joined, *clauses.bound]).fetchone()
    return int(count)


def found_page(
    connection: sqlite3.Connection, searchable: Searchable, query: Query, item_of: Callable[[Stored], Item]
) -> Page[Item]:
    """One page of what a query finds; UsageError as the port says."""
    query = settled(query, searchable)
    table = _TABLES[searchable.things]
    statement, bound = _statement(connection, table, query)
    rows = connection.execute(statement, bound).fetchall()
    more = len(rows) > query.limit
    del rows[query.limit :]
    items = tuple(item_of(connection.execute(_CARD, (row[0],)).fetchone()) for row in rows)
    return Page(items=items, after=token_of(query, rows[-1][1:]) if more else "")


def _clauses(connection: sqlite3.Connection, table: str, query: Query) -> Clauses:
    """What is asked, without order and page."""
    clauses = Clauses()
    if query.deleted is not Deleted.TOO:
        clauses.wheres.append("t.deleted = ?")
        clauses.bound.append(query.deleted is Deleted.ONLY)
    if query.experiments:
        # However many there are, one value is bound: SQLite has a limit to how long an expression may be.
        clauses.wheres.append(f"{_EXPERIMENT[table]} IN (SELECT value FROM json_each(?))")
        clauses.bound.append(msgspec.json.encode(query.experiments).decode())
    if table == "model":
        add_measured(clauses, connection, query.where)
    for asked_for in query.where:
        if table != "model" or asked_for.field not in (Field.METRIC, Field.DATASET):
            add_condition(clauses, connection, table, asked_for)
    clauses.wheres = clauses.wheres or ["1"]
    return clauses


def _statement(connection: sqlite3.Connection, table: str, query: Query) -> tuple[str, list[Any]]:
    """The numbers of one thing more than the page holds, each with its keys in the order."""
    clauses = _clauses(connection, table, query)
    chosen: list[str] = []
    bound_first: list[Any] = []
    order_by: list[str] = []
    for place, order in enumerate(query.order):
        rank, value, bound = _order_key(clauses, connection, table, query, order)
        chosen += [f"{rank} AS r{place}", f"{value} AS v{place}"]
        bound_first += bound
        order_by += [f"r{place}", f"v{place}{'' if order.ascending else ' DESC'}"]
    columns = ", ".join(["t.n AS n", *chosen, f"{_MOMENTS[table]} AS moment", "t.id AS id"])
    inner = f"SELECT {columns} FROM {table} t {' '.join(clauses.joins)} WHERE {' AND '.join(clauses.wheres)}"
    bound_all = [*bound_first, *clauses.joined, *clauses.bound]
    after = "1"
    if query.after:
        keys = token_keys(query)
        after, bound = _after(query.order, keys)
        bound_all += bound
    order_by += ["moment DESC", "id"]
    statement = f"SELECT * FROM ({inner}) WHERE {after} ORDER BY {', '.join(order_by)} LIMIT ?"
    return statement, [*bound_all, query.limit + 1]


def _order_key(
    clauses: Clauses, connection: sqlite3.Connection, table: str, query: Query, order: Order
) -> tuple[str, str, list[Any]]:
    """Where a thing stands by one key: rank (0: it has a number or text, 1: NaN, 2: nothing), value, what is bound."""
    if order.field is Field.ATTRIBUTE:
        column = COLUMNS[table][order.key]
        if table == "experiment" and order.key == "experiment_id":
            column = f"CAST({column} AS INTEGER)"
        return f"CASE WHEN {column} IS NULL THEN 2 ELSE 0 END", column, []
    name = name_number(connection, order.key)
    if table == "model" and order.field is Field.METRIC:
        return measured_order(name, query.where)
    alias = f"o{len(clauses.joins)}"
    clauses.joins.append(
        f"LEFT JOIN {VALUES[order.field]} {alias} ON {alias}.name = ? AND {alias}.owner = t.n"
    )
    clauses.joined.append(name)
    rank = f"CASE WHEN {alias}.owner IS NULL THEN 2 WHEN {alias}.value IS NULL THEN 1 ELSE 0 END"
    return rank, f"{alias}.value", []


def _after(orders: tuple[Order, ...], keys: list[Any]) -> tuple[str, list[Any]]:
    """The condition that a thing comes after the one with these keys, and what is bound in it."""
    *pairs, moment, id = keys
    sql, bound = "(moment < ? OR moment = ? AND id > ?)", [moment, moment, id]
    for place in reversed(range(len(orders))):
        rank, value = pairs[2 * place], pairs[2 * place + 1]
        beyond = ">" if orders[place].ascending else "<"
        sql = f"(r{place} > ? OR r{place} = ? AND (v{place} {beyond} ? OR v{place} IS ? AND {sql}))"
        bound = [rank, rank, value, value, *bound]
    return sql, bound
