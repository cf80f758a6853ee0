"""What a model function is given: the rows to learn from, and the trial it is one of."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from, encoded as they will be when served."""

    #: pandas.DataFrame of float32, shape (rows, features); a category is the number of its place (0 missing, 1 other).
    x: Any
    #: Classification: class codes 0 .. classes-1, int64. Regression: float64. Shape (rows,).
    y: Any
    #: Features that are categories, by name.
    categories: tuple[str, ...] = ()
    #: JSON values of the target in the order of their codes; empty for regression.
    classes: tuple[Any, ...] = ()
    #: polars.DataFrame of the same rows before encoding, with key and event time.
    rows: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features in their order."""
        return tuple(self.x.columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Features that are no categories, by name."""
        return tuple(name for name in self.x.columns if name not in self.categories)


@dataclass(slots=True)
class Trial:
    """One setting of the parameters. Outside a search each parameter has its default."""

    seed: int = 0
    #: Values fixed from outside: a search's proposal, or `--set name=value`.
    fixed: dict[str, Any] = field(default_factory=dict)
    #: Every parameter that the function asked for, with the value it got: recorded with the model.
    used: dict[str, Any] = field(default_factory=dict)
    #: optuna.Trial during a search.
    search: Any = None

    def integer(self, name: str, low: int, high: int, *, default: int, log: bool = False) -> int:
        """A whole number in [low, high]."""
        return int(self._value(name, default, lambda: self.search.suggest_int(name, low, high, log=log)))

    def number(self, name: str, low: float, high: float, *, default: float, log: bool = False) -> float:
        """A number in [low, high]."""
        return float(self._value(name, default, lambda: self.search.suggest_float(name, low, high, log=log)))

    def choice(self, name: str, options: list[Any], *, default: Any) -> Any:
        """One of `options`."""
        return self._value(name, default, lambda: self.search.suggest_categorical(name, options))

    def _value(self, name: str, default: Any, propose: Any) -> Any:
        if name in self.fixed:
            value = self.fixed[name]
        elif self.search is not None:
            value = propose()
        else:
            value = default
        self.used[name] = value
        return value
