"""MLflow's scoring protocol: the four forms of a body that `/invocations` takes."""

from typing import Any

import msgspec

from trimtab.atoms.content.bundle import Manifest
from trimtab.loop.serve.problem import Problem


class Split(msgspec.Struct, frozen=True):
    """`pandas.DataFrame.to_dict(orient="split")`."""

    columns: list[str]
    data: list[list[Any]]
    index: Any = None


class Invocation(msgspec.Struct, frozen=True):
    """The body of `POST /invocations`; exactly one of the first four."""

    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Any]] | None = None
    instances: list[Any] | None = None
    inputs: dict[str, Any] | list[Any] | None = None
    params: dict[str, Any] | None = None


def rows_of(invocation: Invocation, manifest: Manifest) -> list[Any]:
    """The rows that were meant; Problem where they cannot be told."""
    forms = ("dataframe_split", "dataframe_records", "instances", "inputs")
    given = [form for form in forms if getattr(invocation, form) is not None]
    if len(given) != 1:
        raise Problem(422, f"give exactly one of {', '.join(forms)}", rule="shape")
    if invocation.params:
        raise Problem(422, "this model takes no params", rule="params")
    if invocation.dataframe_split is not None:
        split = invocation.dataframe_split
        return [_row(split.columns, values, place) for place, values in enumerate(split.data)]
    if invocation.dataframe_records is not None:
        return invocation.dataframe_records
    names = [column.name for column in manifest.inputs]
    if isinstance(invocation.inputs, dict):
        return _from_columns(invocation.inputs)
    given_rows = invocation.instances if invocation.instances is not None else invocation.inputs
    assert isinstance(given_rows, list)
    return [_row(names, row, place) if isinstance(row, list) else row for place, row in enumerate(given_rows)]


def _from_columns(columns: dict[str, Any]) -> list[Any]:
    lists = {name: values if isinstance(values, list) else [values] for name, values in columns.items()}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        raise Problem(422, "the columns in inputs have different lengths", rule="shape")
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _row(names: list[str], values: list[Any], place: int) -> dict[str, Any]:
    if len(names) != len(values):
        raise Problem(
            422,
            f"row {place} has {len(values)} values for the {len(names)} columns {', '.join(names)[:500]}",
            rule="shape",
            row=place,
        )
    if len(set(names)) != len(names):
        raise Problem(422, "two columns have one name", rule="columns")
    return dict(zip(names, values, strict=True))
