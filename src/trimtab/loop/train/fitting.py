"""One fit: seeds set, the user's function called, its estimator held to what serving needs."""

import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.atoms.error import UsageError
from trimtab.loop.train.user_code import call_user
from trimtab.spec.dataset import Dataset, Trial
from trimtab.spec.model import ModelSpec


def fit_model(spec: ModelSpec, dataset: Dataset, trial: Trial) -> Any:
    """The estimator that the project's function fits.

    Raises:
        UsageError: The function raised, or returned something that cannot be served.
    """
    set_seeds(spec.seed)
    where = f"model {spec.name!r}: its function"
    estimator = call_user(spec.fit, dataset, trial, where=where)
    wanted = ["predict", "predict_proba"] if dataset.classes else ["predict"]
    for method in wanted:
        if not callable(getattr(estimator, method, None)):
            raise UsageError(
                f"{where} returned {_name(estimator)}, which has no {method}: return a fitted estimator "
                f"with the scikit-learn API{' and probabilities' if method == 'predict_proba' else ''}"
            )
    if dataset.classes:
        wanted_codes = list(range(len(dataset.classes)))
        known = np.asarray(getattr(estimator, "classes_", wanted_codes)).tolist()
        if known != wanted_codes:
            raise UsageError(
                f"{where} returned an estimator of classes {known[:10]}: fit it on train.y as it is given"
            )
    return estimator


def set_seeds(seed: int) -> None:
    """Start every random generator that an estimator may use from `seed`."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def predictions(spec: ModelSpec, estimator: Any, x: Any, *, classes: int) -> NDArray[np.float64]:
    """The estimator's answers: probabilities (n, classes), or values (n,) where `classes` is 0.

    Raises:
        UsageError: It raised on these rows, or gave another shape.
    """
    method: Callable[[Any], Any] = estimator.predict_proba if classes else estimator.predict
    where = f"model {spec.name!r}: the estimator that its function returned"
    made = np.asarray(call_user(method, x, where=where, project=spec.fit), dtype=np.float64)
    if not classes and made.shape == (len(x), 1):
        made = made.ravel()
    if made.shape != ((len(x), classes) if classes else (len(x),)):
        raise UsageError(f"{where} answers {len(x)} rows in shape {made.shape}: one answer a row is needed")
    return made


def _name(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
