"""A question about runs, experiments or logged models: filters, order, and a page at a time."""

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Field(StrEnum):
    """What a comparison looks at."""

    METRIC = "metric"
    PARAMETER = "parameter"
    TAG = "tag"
    #: `run_id status start_time end_time run_name user_id artifact_uri experiment` ... as MLflow names them.
    ATTRIBUTE = "attribute"
    #: `name digest context` of a dataset that the run read.
    DATASET = "dataset"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One condition; the conditions of a query all hold."""

    field: Field
    key: str
    #: `= != < <= > >= LIKE ILIKE IN NOT-IN IS-NULL IS-NOT-NULL`.
    operator: str
    value: str | float | tuple[str, ...] | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the order; what lacks it comes last."""

    field: Field
    key: str
    ascending: bool = True


class Deleted(StrEnum):
    """Which of the living and the deleted are meant."""

    LEFT_OUT = "active"
    ONLY = "deleted"
    TOO = "all"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. The newest come first where no order is given; ties are broken by id."""

    #: Ids of experiments; empty: all of them.
    experiments: tuple[str, ...] = ()
    where: tuple[Comparison, ...] = ()
    order: tuple[Order, ...] = ()
    deleted: Deleted = Deleted.LEFT_OUT
    #: 1 to 50,000.
    limit: int = 1000
    #: `Page.after` of the page before; empty: the first page.
    after: str = ""


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Some of what was found."""

    items: tuple[Item, ...]
    #: For the next page; empty: this is the last one.
    after: str = ""
