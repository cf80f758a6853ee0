"""Running a model: float32 rows in, answers out."""

from typing import Any, Protocol

#: float32 or float64 array; spelled Any so that this layer does not load numpy.
Array = Any


class RunningModel(Protocol):
    """Contract: `answer` is a pure function of its rows, safe to call from several threads."""

    def answer(self, rows: Array) -> Array:
        """Answers to rows.

        Args:
            rows: float32, shape (n, features), missing is NaN.

        Returns:
            Classification: probabilities, float, shape (n, classes). Regression: values, shape (n,).
        """
        ...

    def close(self) -> None:
        """Release threads and child processes."""
        ...


class ModelRuntime(Protocol):
    """Contract: `load` opens one format only, checks the bytes before anything else touches them, never falls back."""

    #: The name a bundle's manifest carries: `onnx` or `native`.
    name: str

    def load(self, graph: bytes, task: str) -> RunningModel:
        """Make the model in `graph` ready to answer.

        Raises:
            ModelRefused: The bytes are not of this runtime's format or hold a type that is not on its list.
        """
        ...
