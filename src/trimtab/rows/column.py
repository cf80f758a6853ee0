"""Columns by name and type, written in polars' words and read back."""

import ast
from typing import Any

import polars as pl

from trimtab.atoms.content.snapshot import Column
from trimtab.atoms.error import UsageError


def columns_of(frame: pl.DataFrame) -> tuple[Column, ...]:
    """The frame's columns in order.

    >>> columns_of(pl.DataFrame({"a": [1]}))
    (Column(name='a', dtype='Int64'),)
    """
    return tuple(Column(name=name, dtype=str(dtype)) for name, dtype in frame.schema.items())


def dtype_of(text: str) -> pl.DataType:
    """The type that polars prints as `text`; the inverse of `str(dtype)`.

    Nothing is evaluated: the text may come from a file that somebody else wrote.

    Raises:
        UsageError: `text` names no type.

    >>> dtype_of("Datetime(time_unit='us', time_zone='UTC')")
    Datetime(time_unit='us', time_zone='UTC')
    """
    try:
        return _dtype(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{text!r} is no column type: write it as polars prints it, as 'Int64'") from error


def _dtype(node: ast.expr) -> pl.DataType:
    if isinstance(node, ast.Name):
        return _made(node.id, [], {})
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError("neither a type nor a type with parameters")
    positional = [_parameter(argument) for argument in node.args]
    named = {argument.arg: _parameter(argument.value) for argument in node.keywords if argument.arg}
    return _made(node.func.id, positional, named)


def _made(name: str, positional: list[Any], named: dict[str, Any]) -> pl.DataType:
    found = getattr(pl, name)
    if not (isinstance(found, type) and issubclass(found, pl.DataType)):
        raise ValueError(f"{name} is no type")
    return found(*positional, **named)


def _parameter(node: ast.expr) -> Any:
    if isinstance(node, ast.Name | ast.Call):
        return _dtype(node)
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_parameter, node.values), strict=True))
    return ast.literal_eval(node)
