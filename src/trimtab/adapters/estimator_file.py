"""Estimators as bytes and back: the one choke point through which a stored estimator becomes objects.

The format is skops, never pickle. A file is opened only where every type in it is on the list of this module
or was named by the project; nothing else in Trimtab loads an estimator.
"""

import copy
from collections.abc import Collection, Iterator
from typing import Any

from trimtab.adapters.skops_file import canonical_skops
from trimtab.atoms.error import ModelRefused

#: Types (and the few functions) that a file may name beside those that skops knows to be harmless.
_KNOWN = frozenset(
    {
        "collections.OrderedDict",
        "functools.partial",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "numpy.dtype",
        "scipy.sparse._csr.csr_matrix",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils.validation.check_array",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
        "xgboost.sklearn.XGBRFClassifier",
        "xgboost.sklearn.XGBRFRegressor",
    }
)
#: Parts of scikit-learn that hold estimators and what they are made of; not those that read files or the
#: network.
_ESTIMATORS = frozenset(
    [
        "_loss",
        "calibration",
        "compose",
        "covariance",
        "cross_decomposition",
        "decomposition",
        "discriminant_analysis",
        "dummy",
        "ensemble",
        "feature_extraction",
        "feature_selection",
        "gaussian_process",
        "impute",
        "isotonic",
        "kernel_approximation",
        "kernel_ridge",
        "linear_model",
        "metrics",
        "mixture",
        "model_selection",
        "multiclass",
        "multioutput",
        "naive_bayes",
        "neighbors",
        "neural_network",
        "pipeline",
        "preprocessing",
        "random_projection",
        "svm",
        "tree",
    ]
)
#: Largest file that is opened, in bytes.
LARGEST_BYTES = 1 << 30


def write_estimator(estimator: Any, trusted_types: Collection[str] = ()) -> bytes:
    """The estimator as bytes; equal estimators give equal bytes.

    Raises:
        ModelRefused: It holds something that could not be read back: better told now than at release.
    """
    import skops.io

    try:
        content = canonical_skops(skops.io.dumps(_without_clock(estimator)))
    except Exception as error:  # whatever an estimator's own state raises
        raise ModelRefused(
            f"{type(estimator).__name__} cannot be stored: {type(error).__name__}: {error}"
        ) from error
    _check_types(content, trusted_types)
    return content


def read_estimator(content: bytes, trusted_types: Collection[str] = ()) -> Any:
    """The estimator that `write_estimator` wrote.

    Args:
        trusted_types: Further types that the project allows, as `package.module.Class`.

    Raises:
        ModelRefused: The bytes are no skops file, or name a type that is not on the list.
    """
    types = _check_types(content, trusted_types)
    import skops.io

    try:
        return skops.io.loads(content, trusted=types)
    except Exception as error:
        raise ModelRefused(
            f"the stored estimator cannot be opened: {type(error).__name__}: {error}"
        ) from error


def _check_types(content: bytes, trusted_types: Collection[str]) -> list[str]:
    """The types that the file names beside skops's own, all of them allowed."""
    if not content.startswith(b"PK") or len(content) > LARGEST_BYTES:
        raise ModelRefused("the bytes are no stored estimator: it is a skops file, a zip archive")
    import skops.io

    try:
        named = list(skops.io.get_untrusted_types(data=content))
    except Exception as error:
        raise ModelRefused(f"the bytes are no stored estimator: {type(error).__name__}: {error}") from error
    for name in sorted(named):
        if not _is_known(name) and name not in trusted_types:
            raise ModelRefused(
                f"the estimator holds a {name}, which is not among the types that Trimtab opens; "
                f'where you trust it, write [train] trusted_types = ["{name}"] into trimtab.toml'
            )
    return named


def _is_known(name: str) -> bool:
    parts = name.split(".")
    tested = any(part.startswith(("test", "_test", "conftest")) for part in parts)
    return name in _KNOWN or (
        len(parts) > 2 and parts[0] == "sklearn" and parts[1] in _ESTIMATORS and not tested
    )


def _without_clock(estimator: Any) -> Any:
    """The estimator without the durations that a parameter search writes into it."""
    if not any(True for _ in _searches(estimator)):
        return estimator
    twin = copy.deepcopy(estimator)
    for search in _searches(twin):
        search.refit_time_ = 0.0
        search.cv_results_ = {
            name: value * 0 if name.endswith(("fit_time", "score_time")) else value
            for name, value in search.cv_results_.items()
        }
    return twin


def _searches(estimator: Any) -> Iterator[Any]:
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    yield from (step for step in steps if hasattr(step, "refit_time_") and hasattr(step, "cv_results_"))
