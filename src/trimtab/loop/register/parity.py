"""The parity certificate: the compiled model's answers beside the trained model's, on real rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.atoms.content.bundle import Parity
from trimtab.atoms.error import ModelRefused
from trimtab.ports.model_runtime import RunningModel


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two models agree on the same rows."""

    rows: int
    differing: int
    #: In the answers' own unit; infinite where one answered and the other did not.
    largest_difference: float
    #: In the answers' own unit.
    tolerance: float

    def certificate(self) -> Parity:
        """As it goes into the bundle; only for an agreement without differing rows."""
        return Parity(
            rows=self.rows,
            differing=self.differing,
            largest_difference=self.largest_difference,
            tolerance=self.tolerance,
        )


def compare_answers(trained: NDArray[np.float64], served: NDArray[np.float64], tolerance: float) -> Agreement:
    """Hold the served answers against the trained model's.

    Args:
        trained: Probabilities (n, classes) or values (n,).
        served: The same rows' answers by the model that is to be served.
        tolerance: Largest difference of a probability; of a value, its share of the mean size of the values
            (of its own size, where that is larger).

    Raises:
        ModelRefused: The shapes differ, or there is no row.
    """
    if trained.shape != served.shape or not len(trained):
        raise ModelRefused(
            f"the compiled model answers in shape {served.shape} and the trained one in {trained.shape}: "
            "it is another model's graph"
        )
    scale = 1.0 if trained.ndim == 2 else max(float(np.nanmean(np.abs(trained))), 1e-30)
    allowed = np.full(trained.shape, tolerance * scale)
    if trained.ndim == 1:
        allowed = np.fmax(allowed, tolerance * np.abs(trained))
    difference = np.abs(trained - served)
    # Two answers that are both missing agree; one that is missing alone differs without limit.
    one_missing = np.isnan(trained) != np.isnan(served)
    difference = np.where(
        one_missing, np.inf, np.where(np.isnan(trained) | (trained == served), 0.0, difference)
    )
    wrong = (difference > allowed).reshape(len(trained), -1).any(axis=1)
    return Agreement(len(trained), int(wrong.sum()), float(difference.max()), tolerance * scale)


def served_answers(running: RunningModel, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """The served model's answers as float64."""
    return np.asarray(running.answer(rows), dtype=np.float64)
